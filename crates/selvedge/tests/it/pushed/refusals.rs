//! Every row of the contract, shown on one server each.

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

use super::webhooks::{address, send};
use super::{Pushed, Said, upsert};

fn body(messages: Value) -> Value {
    json!({
        "table_name": "t",
        "schema": { "properties": { "id": { "type": "integer" }, "name": { "type": "string" } } },
        "messages": messages,
        "key_names": ["id"],
    })
}

/// The batch with one thing changed; null takes an argument away.
fn changed(argument: &str, value: Value) -> Value {
    let mut body = body(json!([upsert(1, &json!({ "id": 1 }))]));
    match value {
        Value::Null => drop(body.as_object_mut().unwrap().remove(argument)),
        value => body[argument] = value,
    }
    body
}

#[tokio::test]
async fn who_is_not_let_in_and_what_is_not_there() {
    let pushed = Pushed::start().await;
    let stranger = pushed
        .raw(|http, base| http.post(format!("{base}/v2/import/batch")))
        .await;
    stranger.shows("IMP-401", &[]);
    let unknown = pushed
        .raw(|http, base| http.get(format!("{base}/v2/import/unknown")))
        .await;
    unknown.shows("IMP-404", &[]);
    let get = pushed
        .raw(|http, base| http.get(format!("{base}/v2/import/batch")))
        .await;
    get.shows("IMP-405", &[]);
    let status = pushed
        .raw(|http, base| http.get(format!("{base}/v2/import/status")))
        .await;
    status.shows("GET /v2/import/status", &[]);
    let pause = json!({ "paused_at": "2031-02-03T00:00:00Z" });
    let source = format!("/v4/sources/{}", pushed.source);
    pushed.platform.api.put(&source, &pause).await.status(200);
    let paused = pushed.batch(&changed("key_names", Value::Null)).await;
    paused.shows("IMP-INACTIVE", &[]);
}

#[tokio::test]
async fn bodies_of_another_form() {
    let pushed = Pushed::start().await;
    let encoded = async |encoding: &str| {
        let request = |http: &reqwest::Client, base: &str| {
            http.post(format!("{base}/v2/import/batch"))
                .header(AUTHORIZATION, format!("Bearer {}", pushed.token))
                .header(CONTENT_TYPE, "application/json")
                .header(CONTENT_ENCODING, encoding)
                .body("{}")
        };
        pushed.raw(request).await
    };
    encoded("br")
        .await
        .shows("IMP-ENCODING", &[("ENCODING", "br")]);
    encoded("gzip").await.shows("IMP-DECODE", &[]);
    let large = " ".repeat((20 << 20) + 1);
    let json = "application/json";
    let large = pushed.post_text("/v2/import/push", json, large).await;
    large.shows("IMP-413", &[("BYTES", "20971521")]);
    let csv = pushed
        .post_text("/v2/import/batch", "text/csv", "id\n1")
        .await;
    csv.shows("BAT-415", &[]);
    for endpoint in ["push", "validate"] {
        let path = format!("/v2/import/{endpoint}");
        let csv = pushed.post_text(&path, "text/csv", "id\n1").await;
        csv.shows("PSH-415", &[("TYPE", "text/csv")]);
        let broken = pushed.post_text(&path, json, "[{").await;
        let problem = serde_json::from_str::<Value>(&broken.text).unwrap()["error"].clone();
        broken.shows("PSH-MALFORMED", &[("PROBLEM", problem.as_str().unwrap())]);
    }
    let broken = pushed.post_text("/v2/import/batch", json, "{").await;
    broken.shows("BAT-MALFORMED", &[]);
}

#[tokio::test]
async fn batches() {
    let pushed = Pushed::start().await;
    let said = async |body: Value| pushed.batch(&body).await;
    let messages = async |messages: Value| pushed.batch(&body(messages)).await;
    let record = async |data: Value| {
        let good = upsert(1, &json!({ "id": 1 }));
        pushed.batch(&body(json!([good, upsert(2, &data)]))).await
    };
    let accepted = messages(json!([upsert(1, &json!({ "id": 1 }))])).await;
    accepted.shows("POST /v2/import/batch", &[]);

    for argument in ["table_name", "schema", "messages"] {
        let lacking = said(changed(argument, Value::Null)).await;
        lacking.shows("BAT-REQUIRED", &[("ARGUMENT", argument)]);
    }
    let unknown = said(changed("foo", json!(1))).await;
    unknown.shows("BAT-EXTRANEOUS", &[("ARGUMENT", "foo")]);
    for (argument, value, expected, found) in [
        ("schema", json!([]), "JSONObject", "JSONArray"),
        ("schema", json!(true), "JSONObject", "Boolean"),
        ("table_name", json!(7), "String", "Integer"),
        ("messages", json!({}), "JSONArray", "JSONObject"),
        ("key_names", json!("id"), "JSONArray", "String"),
        ("table_version", json!(1.5), "Integer", "BigDecimal"),
    ] {
        said(changed(argument, value)).await.shows(
            "BAT-TYPE",
            &[
                ("ARGUMENT", argument),
                ("EXPECTED", expected),
                ("FOUND", found),
            ],
        );
    }
    for argument in ["action", "sequence", "data"] {
        let mut message = upsert(1, &json!({ "id": 1 }));
        message.as_object_mut().unwrap().remove(argument);
        messages(json!([message]))
            .await
            .shows("BAT-MESSAGE", &[("INDEX", "0"), ("ARGUMENT", argument)]);
    }
    let beyond = json!({ "action": "upsert", "sequence": 9_223_372_036_854_775_808_u64, "data": { "id": 1 } });
    messages(json!([beyond])).await.shows("BAT-SEQUENCE", &[]);
    messages(json!([])).await.shows("BAT-NONE", &[]);
    let many = vec![upsert(1, &json!({ "id": 1 })); 20_001];
    messages(json!(many))
        .await
        .shows("BAT-MANY", &[("COUNT", "20001")]);
    said(changed("key_names", json!(["nope"])))
        .await
        .shows("BAT-KEY-NAME", &[("KEY", "nope")]);
    let schema = json!({ "properties": { "id": { "type": "datetime" } } });
    said(changed("schema", schema))
        .await
        .shows("BAT-SCHEMA", &[("TYPE", "datetime")]);

    record(json!({ "id": 2, "name": 7 })).await.shows(
        "BAT-RECORD",
        &[
            ("INDEX", "1"),
            ("FIELD", "name"),
            ("EXPECTED", "String"),
            ("FOUND", "Integer"),
        ],
    );
    record(json!({ "name": "x" }))
        .await
        .shows("BAT-KEY", &[("KEY", "id")]);
    let mut long = changed("schema", json!({ "properties": { "id": {} } }));
    long["messages"][0]["data"]["id"] = json!("k".repeat(1_025));
    said(long).await.shows("BAT-KEY-LENGTH", &[]);
    record(json!({ "id": 2, "more": vec![0; 10_000] }))
        .await
        .shows("BAT-POINTS", &[("INDEX", "1")]);
}

#[tokio::test]
async fn pushes() {
    let pushed = Pushed::start().await;
    let account = pushed.platform.account;
    let good = json!({
        "client_id": account, "table_name": "t", "sequence": 1, "action": "upsert", "key_names": ["id"],
        "data": { "id": 1 },
    });
    let with = |argument: &str, value: Value| {
        let mut record = good.clone();
        record[argument] = value;
        record
    };
    let accepted = pushed.post("/v2/import/push", &json!([good])).await;
    accepted.shows("POST /v2/import/push", &[]);
    let valid = pushed.post("/v2/import/validate", &json!([good])).await;
    valid.shows("POST /v2/import/validate", &[]);

    for path in ["/v2/import/push", "/v2/import/validate"] {
        let said = async |body: Value| -> Said { pushed.post(path, &body).await };
        said(json!({})).await.shows("PSH-ARRAY", &[]);
        said(json!([])).await.shows("PSH-ARRAY", &[]);
        said(json!(vec![&good; 20_001]))
            .await
            .shows("PSH-MANY", &[]);
        let mut nobody = good.clone();
        nobody.as_object_mut().unwrap().remove("client_id");
        said(json!([nobody])).await.shows("PSH-CLIENT", &[]);
        let foreign = with("client_id", json!(account + 1));
        said(json!([foreign])).await.shows("PSH-FOREIGN", &[]);
        said(json!([good, foreign]))
            .await
            .shows("PSH-SEVERAL", &[("ACCOUNT_ID", &account.to_string())]);
        said(json!([with("table_name", json!(" "))]))
            .await
            .shows("PSH-BLANK", &[("ARGUMENT", "table_name")]);
        said(json!([with("sequence", json!("1"))]))
            .await
            .shows("PSH-SEQUENCE", &[]);
        said(json!([with("data", json!([1]))]))
            .await
            .shows("PSH-DATA", &[]);
        said(json!([with("data", json!({ "name": "x" }))]))
            .await
            .shows("PSH-KEYS", &[]);
        said(json!([with("data", json!({ "id": null }))]))
            .await
            .shows("PSH-NULL-KEY", &[]);
        let mut renamed = with("key_properties", json!(["id"]));
        renamed.as_object_mut().unwrap().remove("key_names");
        said(json!([renamed]))
            .await
            .shows("PSH-KEY-PROPERTIES", &[]);
        said(json!([with("data", json!({ "id": "k".repeat(1_025) }))]))
            .await
            .shows("PSH-KEY-LENGTH", &[]);
        said(json!([with("colour", json!("red"))]))
            .await
            .shows("PSH-UNKNOWN", &[("ARGUMENT", "colour")]);
    }
}

#[tokio::test]
async fn webhooks() {
    let source = json!({ "type": "webhook.incoming-webhook", "display_name": "Events" });
    let pushed = Pushed::start_with(source).await;
    let (_, path) = address(&pushed).await;
    send(&pushed, &path, &json!({ "id": 1 }))
        .await
        .shows("POST /v2/webhooks/{token}", &[]);
    for body in [json!(5), json!([]), json!([1])] {
        send(&pushed, &path, &body).await.shows("WHK-OBJECTS", &[]);
    }
    let broken = pushed.post_text(&path, "application/json", "{").await;
    let problem = serde_json::from_str::<Value>(&broken.text).unwrap()["error"].clone();
    broken.shows("WHK-MALFORMED", &[("PROBLEM", problem.as_str().unwrap())]);
    for media_type in ["text/csv", "application/transit+json"] {
        let other = pushed.post_text(&path, media_type, "{}").await;
        other.shows("WHK-415", &[("TYPE", media_type)]);
    }
}

#[tokio::test]
async fn a_server_that_cannot_keep_records() {
    let source = || json!({ "type": "import_api", "display_name": "Pushed" });
    let good = changed("key_names", Value::Null);
    let full = Pushed::configured("[intake]\nquota_mib = 0", source()).await;
    full.batch(&good).await.shows("IMP-QUOTA", &[]);
    // More than any disk has.
    let full = Pushed::configured("[intake]\nreserve_mib = 1000000000000", source()).await;
    full.batch(&good).await.shows("IMP-503", &[]);
    let status = full
        .raw(|http, base| http.get(format!("{base}/v2/import/status")))
        .await;
    status.shows("STATUS-503", &[]);
}
