//! Any bytes as values of Transit: in the record that they are put into, and as a body by themselves.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_intake::{Message, Messages, push_transit};
use selvedge_types::AccountId;
use serde::de::IgnoredAny;

fn take(body: Vec<u8>) {
    let Ok(intake) = push_transit(body.into(), AccountId(1)) else {
        return;
    };
    for part in &intake.parts {
        let text = std::str::from_utf8(&part.messages).expect("messages are text");
        for message in Messages::new(text) {
            let message = message.expect("what was taken can be read");
            let Message::Upsert { data, .. } = message else {
                panic!("nothing is activated");
            };
            serde_json::from_str::<IgnoredAny>(data).expect("what comes out is JSON");
        }
    }
}

fuzz_target!(|body: &[u8]| {
    take(body.to_vec());
    let before = br#"[["^ ","client_id",1,"table_name","t","sequence",1,"action","upsert","key_names",["k"],"data",["^ ","k",1,"v","#;
    take([&before[..], body, b"]]]"].concat());
});
