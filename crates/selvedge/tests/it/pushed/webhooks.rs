//! Incoming webhooks.

use serde_json::{Value, json};

use super::{Pushed, Said};
use crate::platform::text;

pub(super) async fn address(pushed: &Pushed) -> (i64, String) {
    let account = pushed.platform.account.to_string();
    let source = pushed.source.to_string();
    let created = pushed
        .platform
        .server
        .run_json(&["webhook", "create", &account, &source, "--json"])
        .await;
    (created["id"].as_i64().unwrap(), text(&created["path"]))
}

pub(super) async fn send(pushed: &Pushed, path: &str, body: &Value) -> Said {
    pushed
        .raw(|http, base| http.post(format!("{base}{path}")).json(body))
        .await
}

#[tokio::test]
async fn whoever_knows_the_address_may_send_until_it_is_revoked() {
    let pushed = Pushed::start_with(json!({
        "type": "webhook.incoming-webhook",
        "display_name": "Events",
        "properties": { "webhookz_primary_key": "id" },
    }))
    .await;
    let (id, path) = address(&pushed).await;
    let three = json!([{ "id": 1, "v": "a" }, { "id": 2, "v": "b" }, { "id": 3, "v": "c" }]);
    let said = send(&pushed, &path, &three).await;
    said.is(200, r#"{"status":"OK","message":"Batch Accepted!"}"#);
    let query = "select id::text, v from events.data order by id";
    pushed
        .rows_become(query, &[("1", "a"), ("2", "b"), ("3", "c")])
        .await;
    // The later one of a key stays, a null key is dropped.
    let more =
        json!([{ "id": 1, "v": "first" }, { "id": 1, "v": "second" }, { "id": null, "v": "x" }]);
    assert_eq!(send(&pushed, &path, &more).await.status, 200);
    pushed
        .rows_become(query, &[("1", "second"), ("2", "b"), ("3", "c")])
        .await;
    let sequences = "select count(distinct _sdc_sequence)::text, count(*)::text from events.data";
    pushed.rows_become(sequences, &[("3", "3")]).await;

    assert_eq!(send(&pushed, &path, &json!(5)).await.status, 400);
    let (account, source) = (
        pushed.platform.account.to_string(),
        pushed.source.to_string(),
    );
    let revoked = pushed
        .platform
        .server
        .run(&["webhook", "revoke", &account, &source, &id.to_string()])
        .await;
    assert!(revoked.status.success());
    let refused = send(&pushed, &path, &three).await;
    refused.is(401, r#"{"message":"Not Authorized"}"#);
}

#[tokio::test]
async fn events_of_known_senders_have_tables_and_keys_of_their_own() {
    let pushed =
        Pushed::start_with(json!({ "type": "webhook.sendgrid", "display_name": "Mail" })).await;
    let (_, path) = address(&pushed).await;
    let events = json!([{
        "event": "open", "email": "a@example.com", "timestamp": 1_700_000_000, "smtp-id": "<7>",
        "category": ["news", "may"],
    }]);
    assert_eq!(send(&pushed, &path, &events).await.status, 200);
    let query =
        "select _sdc_source_key_email, value from mail.events__category order by _sdc_level_0_id";
    pushed
        .rows_become(
            query,
            &[("a@example.com", "news"), ("a@example.com", "may")],
        )
        .await;
    let query = "select event, smtp_id from mail.events";
    pushed.rows_become(query, &[("open", "<7>")]).await;
}
