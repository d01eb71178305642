//! What the senders of the catalogue's webhook types post, and the rows that become of it.

use std::collections::BTreeSet;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::Pushed;
use crate::platform::{number, text};

/// A sender, a body as it posts it, and two columns of what arrives.
struct Sender {
    type_name: &'static str,
    media_type: &'static str,
    body: Value,
    /// Of a query; `@` stands for the schema.
    rows: Vec<(&'static str, &'static [(&'static str, &'static str)])>,
}

const JSON: &str = "application/json";

fn sender(
    type_name: &'static str,
    body: Value,
    query: &'static str,
    rows: &'static [(&'static str, &'static str)],
) -> Sender {
    Sender {
        type_name,
        media_type: JSON,
        body,
        rows: vec![(query, rows)],
    }
}

impl Sender {
    fn and(mut self, query: &'static str, rows: &'static [(&'static str, &'static str)]) -> Self {
        self.rows.push((query, rows));
        self
    }

    fn says(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
    }
}

fn shops_and_devices() -> Vec<Sender> {
    vec![
        sender(
            "webhook.aftership",
            json!({
                "ts": 1_700_000_000, "event": "tracking_update", "event_id": "a1f4-7", "is_tracking_first_tag": false,
                "msg": {
                    "id": "53aa94fc55ece21582000004", "tracking_number": "906587618687", "slug": "fedex",
                    "tag": "InTransit", "checkpoints": [
                        { "city": "Ulm", "message": "Picked up", "coordinates": [] },
                        { "city": "Jena", "message": "Departed", "coordinates": [] },
                    ],
                },
            }),
            "select event, msg__tracking_number from @.data",
            &[("tracking_update", "906587618687")],
        )
        .and(
            "select city, message from @.data__msg__checkpoints order by _sdc_level_0_id",
            &[("Ulm", "Picked up"), ("Jena", "Departed")],
        ),
        sender(
            "webhook.formkeep",
            json!({ "id": "f7", "data": { "name": "Ada", "message": "Grüße\n" }, "spam": false }),
            "select data__name, spam::text from @.data",
            &[("Ada", "false")],
        ),
        sender(
            "webhook.incoming-webhook",
            json!([{ "id": 1, "paid": 10.5 }, { "id": 2, "note": "later" }]),
            "select paid::text, note from @.data order by id",
            &[("10.5", "NULL"), ("NULL", "later")],
        ),
        sender(
            "webhook.particleio",
            json!({
                "event": "temperature", "data": "25.34", "published_at": "2031-02-03T04:05:06.789Z",
                "coreid": "0123456789abcdef01234567",
            }),
            "select data, published_at from @.data",
            &[("25.34", "2031-02-03T04:05:06.789Z")],
        ),
        sender(
            "webhook.zapier",
            json!({ "row": 7, "title": "New order", "amount": "12.50", "tags": "a,b", "blank": null }),
            "select title, amount from @.data",
            &[("New order", "12.50")],
        ),
    ]
}

fn applications() -> Vec<Sender> {
    vec![
        sender(
            "webhook.branch",
            json!({
                "id": 265_975_531_378_565_121_i64, "name": "INSTALL", "timestamp": 1_700_000_000_123_i64,
                "user_data": { "os": "IOS", "limit_ad_tracking": false, "developer_identity": "7" },
                "last_attributed_touch_data": { "~channel": "mail", "$3p": "x", "+click_timestamp": 1_700_000_000 },
                "custom_data": {},
            }),
            "select id::text, user_data__os from @.data",
            &[("265975531378565121", "IOS")],
        ),
        // Media type and form of names are its own.
        sender(
            "webhook.contentful",
            json!({
                "sys": {
                    "type": "Entry", "id": "4Yc0mTtZ", "revision": 2, "updatedAt": "2031-02-03T04:05:06.789Z",
                    "contentType": { "sys": { "type": "Link", "id": "post" } },
                },
                "fields": { "title": { "en-US": "Hello" }, "tags": { "en-US": ["a", "b"] } },
            }),
            "select sys__id, sys__revision::text from @.data",
            &[("4Yc0mTtZ", "2")],
        )
        .says("application/vnd.contentful.management.v1+json"),
        sender(
            "webhook.segment",
            json!({
                "type": "track", "messageId": "ajs-1", "anonymousId": "507f", "userId": "97", "event": "Order Completed",
                "properties": { "orderId": "o-7", "total": 25.5, "products": [{ "sku": "a" }, { "sku": "b" }] },
                "context": { "ip": "192.0.2.7", "library": { "name": "analytics.js" } },
                "originalTimestamp": "2031-02-03T04:05:06.789Z", "version": 2,
            }),
            "select message_id, original_timestamp from @.track",
            &[("ajs-1", "2031-02-03T04:05:06.789Z")],
        )
        .and(
            "select _sdc_source_key_message_id, sku from @.track__properties__products order by _sdc_level_0_id",
            &[("ajs-1", "a"), ("ajs-1", "b")],
        ),
    ]
}

fn mailers() -> Vec<Sender> {
    vec![
        sender(
            "webhook.customerio",
            json!([
                {
                    "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "object_type": "email", "metric": "sent",
                    "timestamp": 1_700_000_000, "data": { "customer_id": "7", "identifiers": { "id": "7" } },
                },
                { "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "object_type": "email", "metric": "opened" },
                { "event_id": null, "metric": "opened" },
            ]),
            "select event_id, metric from @.data",
            &[("01E4C4CT6YDC7Y5M7FE1GWWPQJ", "opened")],
        ),
        sender(
            "webhook.drip",
            json!({
                "event": "subscriber.applied_tag", "data": {
                    "account_id": "9999999", "subscriber": { "email": "ada@example.com", "tags": ["Customer"], "custom_fields": {} },
                    "properties": { "tag": "Customer" },
                },
                "occurred_at": "2031-02-03T04:05:06Z",
            }),
            "select event, data__subscriber__email from @.data",
            &[("subscriber.applied_tag", "ada@example.com")],
        ),
        sender(
            "webhook.iterable",
            json!({
                "email": "ada@example.com", "eventName": "emailOpen", "dataFields": {
                    "campaignId": 59_667, "templateName": "Welcome", "createdAt": "2031-02-03 04:05:06 +00:00", "labels": [],
                },
            }),
            "select email, \"dataFields__campaignId\"::text from @.data",
            &[("ada@example.com", "59667")],
        ),
        sender(
            "webhook.mailjet",
            json!([
                {
                    "event": "sent", "time": 1_433_333_949, "MessageID": 19_421_777_835_146_490_i64,
                    "email": "ada@example.com", "mj_campaign_id": 7_257, "customcampaign": "", "CustomID": "hello",
                },
                { "event": "open", "time": 1_433_333_950, "MessageID": 19_421_777_835_146_490_i64, "geo": "DE", "agent": "x" },
            ]),
            "select event, \"MessageID\"::text from @.data order by time",
            &[("sent", "19421777835146490"), ("open", "19421777835146490")],
        ),
        sender(
            "webhook.sendgrid",
            json!([
                {
                    "email": "ada@example.com", "timestamp": 1_513_299_569, "smtp-id": "<14c5d75ce93.dfd@ismtpd-555>",
                    "event": "processed", "category": "cat facts", "sg_event_id": "a==", "sg_message_id": "b.1",
                },
                {
                    "email": "ada@example.com", "timestamp": 1_513_299_569, "smtp-id": "<14c5d75ce93.dfd@ismtpd-555>",
                    "event": "open", "category": ["news", "may"], "useragent": "Mozilla/4.0", "ip": "192.0.2.7",
                },
            ]),
            "select event, smtp_id from @.events order by event desc",
            &[
                ("processed", "<14c5d75ce93.dfd@ismtpd-555>"),
                ("open", "<14c5d75ce93.dfd@ismtpd-555>"),
            ],
        )
        .and(
            "select _sdc_source_key_event || _sdc_source_key_timestamp, value from @.events__category order by _sdc_level_0_id",
            &[("open1513299569", "news"), ("open1513299569", "may")],
        )
        .says("application/json;charset=utf-8"),
        sender(
            "webhook.sendwithus",
            json!({
                "webhook_id": "w7", "event": "opened", "created": 1_700_000_000,
                "email": { "address": "ada@example.com", "template_id": "tem_1" }, "esp_account": null,
            }),
            "select event, email__template_id from @.data",
            &[("opened", "tem_1")],
        ),
        // It tries a new address out with an event that says nothing.
        sender(
            "webhook.sparkpost",
            json!([
                { "msys": { "message_event": {
                    "type": "delivery", "event_id": "92356927693813856", "rcpt_to": "ada@example.com",
                    "timestamp": "1454442600", "rcpt_tags": ["male", "US"], "rcpt_meta": { "customKey": "v" },
                } } },
                { "msys": {} },
            ]),
            "select msys__message_event__event_id, msys__message_event__type from @.data order by 1",
            &[("92356927693813856", "delivery"), ("NULL", "NULL")],
        ),
        sender(
            "webhook.vero",
            json!({
                "type": "opened", "sent_at": 1_435_016_238, "opened_at": 1_435_016_239,
                "user": { "id": 7, "email": "ada@example.com" }, "campaign": { "id": 1, "tags": ["tag-1", "tag-2"] },
            }),
            "select type, user__email from @.data",
            &[("opened", "ada@example.com")],
        ),
    ]
}

#[tokio::test]
async fn every_type_of_the_catalogue_takes_what_its_sender_posts() {
    let pushed = Pushed::start().await;
    let api = &pushed.platform.api;
    let senders = [shops_and_devices(), applications(), mailers()];
    let senders: Vec<Sender> = senders.into_iter().flatten().collect();
    let types = api.get("/v4/source-types").await.status(200);
    let types = types.as_array().unwrap().iter();
    let types = types.map(|found| found["type"].as_str().unwrap());
    let offered: BTreeSet<&str> = types.filter(|name| name.starts_with("webhook.")).collect();
    let tried: BTreeSet<&str> = senders.iter().map(|sender| sender.type_name).collect();
    assert_eq!(tried, offered);
    for sender in senders {
        let name = sender.type_name;
        let schema = name.trim_start_matches("webhook.").replace('-', "_");
        let body = json!({ "type": name, "display_name": schema, "properties": {} });
        let created = api.post("/v4/sources", &body).await.status(200);
        let account = pushed.platform.account.to_string();
        let source = number(&created["id"]).to_string();
        let server = &pushed.platform.server;
        let address = server
            .run_json(&["webhook", "create", &account, &source, "--json"])
            .await;
        let path = text(&address["path"]);
        let said = pushed
            .raw(|http, base| {
                http.post(format!("{base}{path}"))
                    .header(CONTENT_TYPE, sender.media_type)
                    .body(sender.body.to_string())
            })
            .await;
        said.is(200, r#"{"status":"OK","message":"Batch Accepted!"}"#);
        for (query, rows) in sender.rows {
            let query = query.replace('@', &schema);
            pushed.rows_become(&query, rows).await;
        }
    }
}
