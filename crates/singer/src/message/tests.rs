use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use selvedge_connector::{LogLevel, TapEvent};

use super::*;

/// Feeds a text in pieces of `piece` bytes; what came out, in short.
fn decode(text: &str, piece: usize, limits: MessageLimits) -> (Vec<String>, Vec<String>) {
    let mut decoder = Decoder::new(limits, 1 << 20);
    let (mut events, mut notes) = (Vec::new(), Vec::new());
    for mut bytes in text.as_bytes().chunks(piece.max(1)) {
        while !bytes.is_empty() && !decoder.is_over() {
            let room = decoder.buffer();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            decoder.filled(count);
            while decoder.proceed() {
                events.extend(decoder.take_events());
            }
            decoder.flush();
            events.extend(decoder.take_events());
        }
    }
    decoder.end();
    while decoder.proceed() {
        events.extend(decoder.take_events());
    }
    events.extend(decoder.take_events());
    notes.extend(decoder.take_notes());
    let warning = |(level, text): (LogLevel, String)| {
        assert_eq!(level, LogLevel::Warning);
        text
    };
    (
        events.iter().map(shown).collect::<Vec<_>>().concat(),
        notes.into_iter().map(warning).collect(),
    )
}

fn shown(event: &TapEvent) -> Vec<String> {
    match event {
        TapEvent::Schema(schema) => vec![format!(
            "schema {} {:?} {:?} {}",
            schema.stream, schema.key_properties, schema.bookmark_properties, schema.schema
        )],
        TapEvent::Records(records) => records
            .iter()
            .map(|(record, text)| {
                let version = record.version.map_or(String::new(), |v| format!(" v{v}"));
                let at = record
                    .extracted_at
                    .map_or(String::new(), |at| format!(" at {at}"));
                format!("{}: {text}{version}{at}", record.stream)
            })
            .collect(),
        TapEvent::ActivateVersion { stream, version } => {
            vec![format!("activate {stream} {version}")]
        }
        TapEvent::State(state) => vec![format!("state {}", state.get())],
        TapEvent::Fault(fault) => vec![format!("fault {fault}")],
    }
}

const SCHEMA: &str = r#"{"type":"SCHEMA","stream":"users","schema":{"properties":{"id":{"type":["null","integer"]}}},"key_properties":["id"]}"#;

fn after_schema(lines: &str) -> Vec<String> {
    let text = format!("{SCHEMA}\n{lines}");
    let (events, _) = decode(&text, usize::MAX, MessageLimits::default());
    events[1..].to_vec()
}

#[test]
fn messages_become_events_in_their_order_wherever_the_output_is_cut() {
    let text = format!(
        "{SCHEMA}\n\n{}\n{}\r\n{}\n{}\n{}\n{}",
        r#"{"type": "record", "stream": "users", "record": {"id": 1, "näme": "ü\u00e9"}, "time_extracted": "2031-01-01T00:00:00Z"}"#,
        r#"{"record":{"id":2},"version":7,"stream":"users","type":"RECORD","time_extracted":"soon"}"#,
        r#"{"type":"STATE","value":{"bookmarks":{"users":{"id":2}}}}"#,
        r#"{"type":"RECORD","stream":"us\u0065rs","record":{"id":NaN}}"#,
        r#"{"type":"Activate_Version","stream":"users","version":7}"#,
        r#"{"type":"RECORD","stream":"users","record":{"id":4}}"#,
    );
    let expected = [
        r#"schema users ["id"] [] {"properties":{"id":{"type":["null","integer"]}}}"#,
        r#"0: {"id": 1, "näme": "ü\u00e9"} at 1924992000000000"#,
        r#"0: {"id":2} v7"#,
        r#"state {"bookmarks":{"users":{"id":2}}}"#,
        r#"0: {"id":NaN}"#,
        "activate users 7",
        r#"0: {"id":4}"#,
    ];
    for piece in [1, 2, 7, 64, 1000, usize::MAX] {
        let (events, notes) = decode(&text, piece, MessageLimits::default());
        assert_eq!(events, expected, "in pieces of {piece}");
        assert!(notes.is_empty());
    }
}

#[test]
fn of_states_among_waiting_records_the_last_is_handed_on_at_its_place() {
    let mut decoder = Decoder::new(MessageLimits::default(), 1 << 20);
    let text = format!(
        "{SCHEMA}\n{}",
        r#"{"type":"RECORD","stream":"users","record":{"id":1}}
{"type":"STATE","value":1}
{"type":"RECORD","stream":"users","record":{"id":2}}
{"type":"STATE","value":2}
{"type":"RECORD","stream":"users","record":{"id":3}}
"#
    );
    decoder.buffer()[..text.len()].copy_from_slice(text.as_bytes());
    decoder.filled(text.len());
    decoder.flush();
    let events: Vec<String> = decoder.take_events().iter().flat_map(shown).collect();
    assert_eq!(
        events[1..],
        [
            r#"0: {"id":1}"#,
            r#"0: {"id":2}"#,
            "state 2",
            r#"0: {"id":3}"#
        ]
    );
}

#[test]
fn a_schema_that_is_repeated_is_told_once_and_a_new_one_again() {
    let other = r#"{"type":"SCHEMA","stream":"users","schema":{},"key_properties":[],"bookmark_properties":["at"]}"#;
    assert_eq!(
        after_schema(&format!("{SCHEMA}\n{other}\n{other}\n")),
        [r#"schema users [] ["at"] {}"#]
    );
}

#[test]
fn records_are_held_against_their_schema() {
    assert_eq!(
        after_schema(
            r#"{"type":"RECORD","stream":"users","record":{"id":1}}
{"type":"RECORD","record":{"id":"x"},"stream":"users"}
{"type":"RECORD","stream":"users","record":{"id":2}}"#
        ),
        [
            r#"0: {"id":1}"#,
            r#"fault Error persisting data for table "users": Record 1 did not conform to schema: #/id: expected: Integer, found: String"#,
        ]
    );
}

#[test]
fn what_is_no_message_ends_the_decoding_and_says_where() {
    for (line, expected) in [
        (
            "Traceback (most recent call last):",
            "line 2 of the tap's output is no Singer message (an object was expected at byte 0): Traceback (most recent call last):",
        ),
        (
            r#"{"stream":"users"}"#,
            r#"line 2 of the tap's output is no Singer message (it has no type): {"stream":"users"}"#,
        ),
        (
            r#"{"type":"RECORD","stream":"orders","record":{}}"#,
            "A record for stream orders was encountered before a corresponding schema",
        ),
        (
            r#"{"type":"RECORD","stream":"users"}"#,
            "a RECORD message has no record",
        ),
        (
            r#"{"type":"RECORD","stream":"users","record":[]}"#,
            r##"Error persisting data for table "users": Record 0 did not conform to schema: #: it is no object"##,
        ),
        (r#"{"type":"STATE"}"#, "a STATE message has no value"),
        (
            r#"{"type":"SCHEMA","stream":"b","schema":{}}"#,
            "the SCHEMA message of b has no key_properties",
        ),
        (
            r#"{"type":"SCHEMA","stream":"b","schema":[],"key_properties":[]}"#,
            "the schema of b is no object",
        ),
        (
            r#"{"type":"ACTIVATE_VERSION","stream":"users"}"#,
            "an ACTIVATE_VERSION message needs a stream and a version",
        ),
        (
            r#"{"type":"BATCH","stream":"users","encoding":{"format":"jsonl"},"manifest":[]}"#,
            "BATCH messages are not taken here",
        ),
    ] {
        let events = after_schema(&format!("{line}\n{{\"type\":\"STATE\",\"value\":1}}\n"));
        let [fault] = &events[..] else {
            panic!("{line}: {events:?}");
        };
        assert_eq!(fault, &format!("fault {expected}"));
    }
}

#[test]
fn unknown_messages_are_ignored_with_one_warning_a_kind() {
    let text = "{\"type\":\"LOG\"}\n{\"type\":\"LOG\",\"x\":[1]}\n{\"type\":\"ACTIVATE\"}\n";
    let (events, notes) = decode(text, 10, MessageLimits::default());
    assert!(events.is_empty());
    assert_eq!(
        notes,
        [
            "messages of the type LOG are ignored",
            "messages of the type ACTIVATE are ignored"
        ]
    );
}

#[test]
fn lines_and_records_have_limits() {
    let limits = MessageLimits {
        line_bytes: 1_000_000,
        record_bytes: 100,
        batch_directory: None,
    };
    let record = |length: usize| {
        let text = "x".repeat(length);
        format!(r#"{{"type":"RECORD","stream":"users","record":{{"id":1,"t":"{text}"}}}}"#)
    };
    let too_large = "fault A single record is larger than the Stitch API limit of 20MB";
    for (line, expected) in [
        (record(101), too_large),
        // Without an end: it is not waited for.
        (record(2_000_000), too_large),
    ] {
        let (events, _) = decode(&format!("{SCHEMA}\n{line}"), 8192, limits.clone());
        assert_eq!(events[1..], [expected]);
    }
    let (events, _) = decode(&"y".repeat(2_000_000), 8192, limits);
    assert!(
        events[0].starts_with("fault the tap wrote a line of more than 1000000 bytes: yyy"),
        "{events:?}"
    );
}

#[test]
fn batches_in_files_are_read_from_the_tap_s_own_directory_only() {
    let directory = tempfile::tempdir().unwrap();
    let plain = directory.path().join("1.jsonl");
    std::fs::write(&plain, "{\"id\":1}\n\n{\"id\":2}").unwrap();
    let gzip = directory.path().join("2.jsonl.gz");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"{\"id\":3}\n{\"id\":4}\n").unwrap();
    std::fs::write(&gzip, encoder.finish().unwrap()).unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();

    let limits = MessageLimits {
        batch_directory: Some(directory.path().to_path_buf()),
        ..MessageLimits::default()
    };
    let batch = |path: &std::path::Path, compression: &str| {
        format!(
            r#"{{"type":"BATCH","stream":"users","encoding":{{"format":"jsonl","compression":"{compression}"}},"manifest":["file://{}"]}}"#,
            path.display()
        )
    };
    let text = format!(
        "{SCHEMA}\n{}\n{}\n{}\n{}\n",
        batch(&plain, "none"),
        r#"{"type":"STATE","value":2}"#,
        batch(&gzip, "gzip"),
        r#"{"type":"STATE","value":4}"#
    );
    let (events, _) = decode(&text, 50, limits.clone());
    assert_eq!(
        events[1..],
        [
            r#"0: {"id":1}"#,
            r#"0: {"id":2}"#,
            "state 2",
            r#"0: {"id":3}"#,
            r#"0: {"id":4}"#,
            "state 4"
        ]
    );

    let text = format!("{SCHEMA}\n{}\n", batch(outside.path(), "none"));
    let (events, _) = decode(&text, 50, limits);
    assert!(
        events[1].ends_with("of a BATCH message is not in the tap's own directory"),
        "{events:?}"
    );
}
