//! Round trips with texts as the oracle, and hostile bytes.

use arrow_buffer::i256;
use proptest::prelude::*;

use super::*;

fn text_of(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    Numeric::parse(bytes)
        .unwrap()
        .expect("the value is finite")
        .write_text(&mut text);
    String::from_utf8(text).unwrap()
}

/// `value / 10^scale` by string arithmetic.
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

#[test]
fn known_bytes_have_known_texts() {
    // select numeric_send(12345.6780), numeric_send(0.00001), numeric_send(-0.0), numeric_send(1e6)
    for (bytes, text) in [
        (
            &[0, 3, 0, 1, 0, 0, 0, 4, 0, 1, 9, 41, 26, 124][..],
            "12345.6780",
        ),
        (&[0, 1, 255, 254, 0, 0, 0, 5, 3, 232], "0.00001"),
        (&[0, 0, 0, 0, 0, 0, 0, 1], "0.0"),
        (&[0, 1, 0, 1, 0, 0, 0, 0, 0, 100], "1000000"),
        (&[0, 1, 0, 0, 0x40, 0, 0, 0, 0, 7], "-7"),
    ] {
        assert_eq!(text_of(bytes), text);
        let mut encoded = Vec::new();
        encode_text(text, &mut encoded).unwrap();
        assert_eq!(encoded, bytes, "{text}");
    }
}

#[test]
fn specials_are_reported_and_malformed_bytes_refused() {
    for sign in [0xC0, 0xD0, 0xF0] {
        assert!(
            Numeric::parse(&[0, 0, 0, 0, sign, 0, 0, 0])
                .unwrap()
                .is_none()
        );
    }
    for bad in [
        &[][..],
        &[0, 1, 0, 0, 0, 0, 0, 0],
        &[0, 1, 0, 0, 0, 0, 0, 0, 39, 16],
        &[0, 0, 0, 0, 1, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 255, 255],
        &[0, 0, 0, 0, 0, 0, 0, 0, 1],
    ] {
        assert!(Numeric::parse(bad).is_err(), "{bad:?} parsed");
    }
    for bad in [
        "", "-", ".5", "5.", "1e3", "+1", " 1", "NaN", "1.2.3", "--1",
    ] {
        assert!(
            encode_text(bad, &mut Vec::new()).is_err(),
            "{bad:?} encoded"
        );
    }
}

#[test]
fn a_value_that_does_not_fit_the_scale_is_not_cut() {
    let mut bytes = Vec::new();
    encode_text("1.005", &mut bytes).unwrap();
    let value = Numeric::parse(&bytes).unwrap().unwrap();
    assert_eq!(value.to_i128(2), None);
    assert_eq!(value.to_i128(3), Some(1_005));
    assert_eq!(value.to_i256(2), None);
    let mut bytes = Vec::new();
    encode_text(&"9".repeat(39), &mut bytes).unwrap();
    let value = Numeric::parse(&bytes).unwrap().unwrap();
    assert_eq!(value.to_i128(0), None);
    assert_eq!(value.to_i256(0).unwrap().to_string(), "9".repeat(39));
    assert_eq!(value.to_i256(60), None);
}

#[test]
fn the_ends_of_the_range_round_trip() {
    for value in [
        0,
        1,
        -1,
        i128::MAX,
        -i128::MAX,
        10_i128.pow(37),
        9_999,
        10_000,
    ] {
        for scale in [0, 1, 4, 18, 19, 36, 37, 38] {
            let encoded = encode_i128(value, scale).unwrap();
            let parsed = Numeric::parse(encoded.as_bytes()).unwrap().unwrap();
            assert_eq!(parsed.to_i128(scale), Some(value), "{value} at {scale}");
            assert_eq!(
                text_of(encoded.as_bytes()),
                plain(&value.to_string(), scale.into())
            );
        }
    }
    assert!(encode_i128(1, 39).is_err());
    // The smallest i128 has no positive counterpart, and no decimal of 38 digits is as large.
    let smallest = encode_i128(i128::MIN, 0).unwrap();
    assert_eq!(text_of(smallest.as_bytes()), i128::MIN.to_string());
}

proptest! {
    #[test]
    fn i128_round_trips(value in -i128::MAX..=i128::MAX, shift in 0_u32..120, scale in 0_u8..=38) {
        let value = value >> shift;
        let encoded = encode_i128(value, scale).unwrap();
        let parsed = Numeric::parse(encoded.as_bytes()).unwrap().unwrap();
        prop_assert_eq!(parsed.to_i128(scale), Some(value));
        let text = text_of(encoded.as_bytes());
        prop_assert_eq!(&text, &plain(&value.to_string(), scale.into()));
        let mut again = Vec::new();
        encode_text(&text, &mut again).unwrap();
        prop_assert_eq!(again.as_slice(), encoded.as_bytes());
    }

    #[test]
    fn i256_round_trips(digits in "-?[1-9][0-9]{0,75}", scale in 0_u8..=76) {
        let value: i256 = digits.parse().unwrap();
        let encoded = encode_i256(value, scale).unwrap();
        let parsed = Numeric::parse(encoded.as_bytes()).unwrap().unwrap();
        prop_assert_eq!(parsed.to_i256(scale), Some(value));
        prop_assert_eq!(text_of(encoded.as_bytes()), plain(&digits, scale.into()));
    }

    #[test]
    fn text_round_trips(text in "-?(0|[1-9][0-9]{0,150})(\\.[0-9]{1,150})?") {
        let mut bytes = Vec::new();
        encode_text(&text, &mut bytes).unwrap();
        let zero = text.bytes().all(|byte| !(b'1'..=b'9').contains(&byte));
        let canonical = if zero { text.trim_start_matches('-') } else { text.as_str() };
        prop_assert_eq!(text_of(&bytes), canonical);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 8..40), scale in any::<u8>()) {
        if let Ok(Some(value)) = Numeric::parse(&bytes) {
            // Only panics matter here.
            let _ = (value.to_i128(scale), value.to_i256(scale));
            value.write_text(&mut Vec::new());
        }
    }
}
