//! What nobody sends who means well: JSON texts, bodies, segments of addresses, queries and headers.

use serde_json::Value;

/// Stands in a JSON value for a text that a value cannot hold.
const HOLE: &str = "@@hole@@";

/// Values to put in the place of any other, as JSON text: not all of them fit into a parsed value.
pub(super) fn values() -> Vec<String> {
    // Every type, and its borders.
    let all = [
        "null",
        "true",
        "0",
        "-0",
        "-1",
        "1.0",
        "1.5",
        "1e308",
        "1e400",
        "1e-400",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        r#""\ud800""#,
        r#"{"\udfff": 1}"#,
    ];
    let all = all.map(str::to_owned).into_iter();
    all.chain(stored_values()).collect()
}

/// Values that may get as far as a statement.
pub(super) fn stored_values() -> Vec<String> {
    let values = [
        r#""""#,
        r#"" ""#,
        r#"{"": {"": null}}"#,
        // What PostgreSQL keeps in no text.
        r#""a\u0000b""#,
        r#"{"\u0000": "\u0000"}"#,
        r#"["\u0000"]"#,
        r#""\ufeff\u202e\uffff\ud83d\ude00""#,
        r#""\u0001\u001f\u007f\u0085\r\n""#,
        // Texts that mean something somewhere.
        r#""../../etc/passwd""#,
        r#""%00%ff""#,
        r#""'; drop table sources; --""#,
        r#""-1""#,
        r#""99999999999999999999999999""#,
        r#""0 0 0 31 2 ?""#,
        r#""2031-02-30T00:00:00Z""#,
        r#""0000-00-00T00:00:00Z""#,
        r#""9999-12-31T23:59:59.999999999+23:59""#,
        r#""http://[::1]:99999/""#,
        r#""x@y@z""#,
    ];
    values.map(str::to_owned).into()
}

/// Values that take a while.
pub(super) fn long_values() -> Vec<String> {
    vec![
        // 10^400, digit by digit.
        format!("1{}", "0".repeat(400)),
        format!("\"{}\"", "x".repeat(200_000)),
        nested(10_000),
        format!("\"{}\"", "\u{1f600}".repeat(50_000)),
        format!("{{\"{}\": 1}}", "k".repeat(200_000)),
        nested(100),
    ]
}

/// Bodies that take no sample to make.
pub(super) fn bodies() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " ",
        "\0",
        "{",
        "}",
        "[",
        "nul",
        "{}{}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1,]",
        "// {}",
        "\"\\x\"",
        "\u{feff}{}",
        "grant_type=%00&code=%ff&client_secret=%",
        "=&=&=",
        "a=1&a=2",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.extend([
        b"\xff\xfe{\x00}\x00".to_vec(),
        b"{\"type\": \"\xff\"}".to_vec(),
        b"{\"type\": \"\xed\xa0\x80\"}".to_vec(),
        "[".repeat(10_000).into_bytes(),
        "{\"a\":".repeat(10_000).into_bytes(),
        nested(10_000).into_bytes(),
        crowd("{", "}"),
        vec![b' '; 200_000],
    ]);
    let values = values().into_iter().chain(long_values());
    bodies.extend(values.map(String::into_bytes));
    bodies
}

/// An object of 100,000 members between these two texts.
pub(super) fn crowd(before: &str, after: &str) -> Vec<u8> {
    let members: Vec<String> = (0..100_000).map(|n| format!("\"m{n}\":{n}")).collect();
    format!("{before}{}{after}", members.join(",")).into_bytes()
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Where something can be put in or taken out of a value: the way to each of its values, from the root.
pub(super) fn places(value: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in inside {
        let deeper = places(value).into_iter();
        found.extend(deeper.map(|place| format!("/{key}{place}")));
    }
    found
}

/// The JSON text of `value` with `text` at the place.
pub(super) fn with(value: &Value, place: &str, text: &str) -> String {
    let mut value = value.clone();
    *value.pointer_mut(place).expect("a place of the value") = HOLE.into();
    value.to_string().replace(&format!("\"{HOLE}\""), text)
}

/// The JSON text of `value` with one more member in the object at the place, which may be there already. `None` where no
/// object is.
pub(super) fn with_member(value: &Value, place: &str, member: &str) -> Option<String> {
    let object = value.pointer(place)?.as_object()?;
    let mut inside: Vec<String> = object
        .iter()
        .map(|(key, value)| format!("{}:{value}", Value::from(key.as_str())))
        .collect();
    inside.push(member.to_owned());
    Some(with(value, place, &format!("{{{}}}", inside.join(","))))
}

/// What can stand in an address in the place of an id or a name.
pub(super) fn segments() -> Vec<String> {
    let short = [
        "0",
        "-1",
        "+1",
        "-0",
        "007",
        "1.0",
        "1e400",
        "NaN",
        "null",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551616",
        "%31",
        "..",
        ".",
        "%2e%2e",
        "%2F..%2F",
        "%00",
        "1%00",
        "%ff",
        "%ed%a0%80",
        "%",
        "%zz",
        "%E2%80%AE",
        "*",
        "'",
        "a;b=c",
        "%7Bid%7D",
        "metadata",
    ];
    let long = ["1".repeat(8_000), "%00".repeat(2_000), "x".repeat(30_000)];
    short.map(str::to_owned).into_iter().chain(long).collect()
}

/// What can stand behind a `?`; `{}` is the name of a parameter.
pub(super) fn queries() -> Vec<String> {
    let short = [
        "",
        "&&&",
        "=",
        "{}",
        "{}=",
        "{}=0",
        "{}=-1",
        "{}=+1",
        "{}=1.0",
        "{}=NaN",
        "{}=null",
        "{}=1e400",
        "{}=4294967295",
        "{}=4294967296",
        "{}=9223372036854775807",
        "{}=18446744073709551616",
        "{}=%00",
        "{}=%ff",
        "{}=%",
        "{}=1&{}=2",
        "{}=1&{}=1&x=%ff",
        "{}[]=1",
        "%7B{}%7D=1",
        "%ff=%fe",
        "{}=';drop+table+jobs",
        "{}=1;{}=2",
    ];
    let long = [format!("{{}}={}", "9".repeat(30_000)), "a&".repeat(15_000)];
    short.map(str::to_owned).into_iter().chain(long).collect()
}

/// Headers: names that the server reads, with values that it does not expect. Several values send the header several times.
pub(super) fn headers() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let long = vec![b'x'; 300_000];
    let mut headers = Vec::new();
    for name in [
        "content-type",
        "accept",
        "accept-encoding",
        "if-none-match",
        "idempotency-key",
        "origin",
        "host",
        "cookie",
        "content-length",
        "transfer-encoding",
        "x-forwarded-for",
        "x-forwarded-proto",
        "forwarded",
    ] {
        headers.push((name, vec![b",;q=,;".to_vec(), b"-1".to_vec()]));
        headers.push((name, vec![b"\xff\xfe".to_vec()]));
    }
    for name in ["accept-encoding", "idempotency-key", "content-length"] {
        headers.push((name, vec![Vec::new()]));
        headers.push((name, vec![long.clone()]));
    }
    for content_type in [
        "application/json; charset=utf-16",
        "text/plain",
        "multipart/form-data; boundary=",
        "application/x-www-form-urlencoded",
        "application/json, application/json",
    ] {
        headers.push(("content-type", vec![content_type.as_bytes().to_vec()]));
    }
    let twice = vec![b"application/json".to_vec(), b"text/plain".to_vec()];
    headers.push(("content-type", twice));
    headers
}

/// What stands where a token should.
pub(super) fn authorizations() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 9] = [
        b"",
        b" ",
        b"Bearer",
        b"Bearer ",
        b"Bearer \xff",
        b"Bearer a b c",
        b"Basic Og==",
        b"ac_",
        b"Bearer ';--",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.push([b"Bearer ".to_vec(), vec![b'x'; 300_000]].concat());
    all
}
