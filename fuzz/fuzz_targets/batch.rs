//! Bodies of batches: any bytes, and bytes that stand for a schema and a record.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_intake::{Messages, batch};

fuzz_target!(|data: &[u8]| {
    take(data.to_vec());
    // A body of which the fuzzer need not find the frame: its schema, a line break, its record.
    if let Some(at) = data.iter().position(|byte| *byte == b'\n') {
        let (schema, record) = (&data[..at], &data[at + 1..]);
        let body = [
            br#"{"table_name":"t","schema":"#,
            schema,
            br#","messages":[{"action":"upsert","sequence":1,"data":"#,
            record,
            b"}]}",
        ];
        take(body.concat());
    }
});

/// What is accepted can be read again; what is not has a documented status.
fn take(body: Vec<u8>) {
    match batch(body.into()) {
        Ok(intake) => {
            for part in &intake.parts {
                let messages = std::str::from_utf8(&part.messages).expect("an accepted body is text");
                let mut records = 0;
                for message in Messages::new(messages) {
                    let message = message.expect("an accepted message can be read");
                    records += u32::from(matches!(message, selvedge_intake::Message::Upsert { .. }));
                }
                assert_eq!(records, part.record_count);
            }
        }
        Err(refusal) => assert_eq!(refusal.status, 400),
    }
}
