//! The server as the oracle of the numeric codec, in both directions.

use arrow_buffer::i256;
use bytes::Bytes;
use futures_util::SinkExt;
use selvedge_postgres::copy::{HEADER, TRAILER};
use selvedge_postgres::numeric::{Numeric, encode_i128, encode_i256, encode_text};
use selvedge_testkit::postgres::TestDatabase;

#[tokio::test]
async fn we_print_what_the_server_prints() {
    let database = TestDatabase::create().await;
    let client = database.connect().await;
    let rows = client
        .query(
            "with sample (v) as (
                 select ((random() - 0.5) * 10 ^ (n % 300 - 150))::numeric from generate_series(1, 2000) n
                 union all
                 select round((repeat('9', n % 60 + 1) || '.' || repeat('0', n % 40) || n)::numeric, n % 45) * (n % 2 * 2 - 1)
                   from generate_series(1, 2000) n
                 union all
                 values (0), (0.000), (1e131071), (1e-16383), (10000), (0.0001), (9999.9999), (-1))
             select numeric_send(v), v::text from sample",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 4008);
    for row in rows {
        let (bytes, text): (Vec<u8>, String) = (row.get(0), row.get(1));
        let numeric = Numeric::parse(&bytes).unwrap().unwrap();
        let mut ours = Vec::new();
        numeric.write_text(&mut ours);
        assert_eq!(String::from_utf8(ours).unwrap(), text);
        let mut again = Vec::new();
        encode_text(&text, &mut again).unwrap();
        assert_eq!(again, bytes, "{text}");
    }
}

#[tokio::test]
async fn the_server_reads_what_we_write() {
    let database = TestDatabase::create().await;
    let client = database.connect().await;
    client
        .batch_execute("create table t (expected text, value numeric)")
        .await
        .unwrap();
    let mut message = HEADER.to_vec();
    let mut rows = 0;
    let mut row = |text: &str, encoded: &[u8]| {
        message.extend(2_i16.to_be_bytes());
        for field in [text.as_bytes(), encoded] {
            message.extend(i32::try_from(field.len()).unwrap().to_be_bytes());
            message.extend(field);
        }
        rows += 1;
    };
    for scale in 0..=38_u8 {
        for power in 0..=38_u32 {
            for value in [
                10_i128.pow(power),
                -10_i128.pow(power) + 1,
                123_456_789_i128.pow(power % 5),
            ] {
                let text = plain(&value.to_string(), scale.into());
                row(&text, encode_i128(value, scale).unwrap().as_bytes());
                let wide = i256::from_i128(value);
                row(&text, encode_i256(wide, scale).unwrap().as_bytes());
            }
        }
    }
    for scale in [0, 1, 30, 39, 76] {
        let digits = format!("-{}", "7".repeat(76));
        let value: i256 = digits.parse().unwrap();
        row(
            &plain(&digits, scale.into()),
            encode_i256(value, scale).unwrap().as_bytes(),
        );
    }
    message.extend(TRAILER);
    let sink = client
        .copy_in::<_, Bytes>("copy t from stdin (format binary)")
        .await
        .unwrap();
    let mut sink = Box::pin(sink);
    sink.send(Bytes::from(message)).await.unwrap();
    assert_eq!(sink.as_mut().finish().await.unwrap(), rows);
    let wrong = client
        .query("select expected, value::text from t where value::text <> expected or value <> expected::numeric limit 5", &[])
        .await
        .unwrap();
    let wrong: Vec<(String, String)> = wrong.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// `digits / 10^scale` by string arithmetic, with zero unsigned.
fn plain(digits: &str, scale: usize) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    match scale {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}
