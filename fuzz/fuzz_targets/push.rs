//! Any bytes as bodies of push and of webhooks: what is taken is JSON, and can be read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_intake::{Intake, Messages, WebhookKind, push, webhook};
use selvedge_types::AccountId;
use serde::de::IgnoredAny;

fn read(intake: &Intake) {
    for part in &intake.parts {
        let text = std::str::from_utf8(&part.messages).expect("messages are text");
        let count = Messages::new(text)
            .map(|message| message.expect("what was taken can be read"))
            .count();
        assert_eq!(count, part.record_count as usize);
    }
}

fuzz_target!(|body: &[u8]| {
    let is_json = || serde_json::from_slice::<IgnoredAny>(body).is_ok();
    if let Ok(intake) = push(body.to_vec().into(), AccountId(1)) {
        read(&intake);
        assert!(is_json());
    }
    let keyed = WebhookKind::Generic {
        key_name: Some("a".to_owned()),
    };
    for kind in [keyed, WebhookKind::Segment, WebhookKind::SendGrid] {
        if let Ok(intake) = webhook(body.to_vec().into(), &kind, 1) {
            read(&intake);
        }
    }
});
