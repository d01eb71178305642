//! What the gate answers to whoever is not let in, and to what it cannot read. (What is in a body is tested where bodies are
//! read.)

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

use super::{Pushed, upsert};

const NOT_AUTHORIZED: &str = r#"{"message":"Not Authorized"}"#;
const INACTIVE: &str = r#"{"error":"Forbidden","errors":{"error":"Connection is not active."}}"#;

fn body(records: usize) -> Value {
    let messages: Vec<Value> = (0..records)
        .map(|id| upsert(id as i64, &json!({ "id": id })))
        .collect();
    json!({ "table_name": "t", "schema": { "properties": {} }, "messages": messages })
}

#[tokio::test]
async fn only_a_live_token_of_an_active_source_is_let_in() {
    let pushed = Pushed::start().await;
    let api_token = pushed.platform.token().to_owned();
    for header in [
        None,
        Some("Bearer at_unknown".to_owned()),
        Some(format!("Basic {}", pushed.token)),
        Some(pushed.token.clone()),
        Some(format!("Bearer {api_token}")),
    ] {
        for endpoint in ["batch", "push", "validate"] {
            let said = pushed
                .raw(|http, base| {
                    // Nothing else is looked at before the token.
                    let request = http.post(format!("{base}/v2/import/{endpoint}"));
                    match &header {
                        Some(header) => request.header(AUTHORIZATION, header),
                        None => request,
                    }
                })
                .await;
            said.is(401, NOT_AUTHORIZED);
        }
    }
    let import_token = pushed.platform.server.client().with_token(&pushed.token);
    assert_eq!(import_token.get("/v4/sources").await.status, 401);

    pushed.batch(&body(1)).await.accepted();
    let source = format!("/v4/sources/{}", pushed.source);
    let pause = json!({ "paused_at": "2031-02-03T00:00:00Z" });
    pushed.platform.api.put(&source, &pause).await.status(200);
    pushed.batch(&body(1)).await.is(401, INACTIVE);
    let unpause = json!({ "paused_at": null });
    pushed.platform.api.put(&source, &unpause).await.status(200);
    pushed.batch(&body(1)).await.accepted();

    let (second, _) = pushed.new_token().await;
    let tokens = format!("{source}/tokens");
    let third = pushed.platform.api.post(&tokens, &Value::Null).await;
    assert_eq!(third.status, 400);
    let listed = pushed.platform.api.get(&tokens).await.status(200);
    let own = listed.as_array().unwrap().iter();
    let own = own.map(|token| token["token_id"].as_i64().unwrap());
    for id in own.filter(|id| *id != second) {
        let path = format!("{tokens}/{id}");
        pushed.platform.api.delete(&path).await.status(200);
    }
    pushed.batch(&body(1)).await.is(401, NOT_AUTHORIZED);
}

#[tokio::test]
async fn methods_addresses_and_media_types_are_answered_as_documented() {
    let pushed = Pushed::start().await;
    for (endpoint, method) in [
        ("import/batch", "GET"),
        ("import/push", "PUT"),
        ("import/validate", "DELETE"),
        ("import/status", "POST"),
        ("webhooks/at_unknown", "GET"),
    ] {
        let method = method.parse().unwrap();
        let said = pushed
            .raw(|http, base| http.request(method, format!("{base}/v2/{endpoint}")))
            .await;
        said.is(405, "Method not allowed.");
        assert_eq!(said.media_type, "text/plain; charset=utf-8");
    }
    let unknown = pushed
        .raw(|http, base| http.get(format!("{base}/v2/import/unknown")))
        .await;
    unknown.is(404, r#"{"message":"Not Found"}"#);
    let status = pushed
        .raw(|http, base| http.get(format!("{base}/v2/import/status")))
        .await;
    assert_eq!(status.status, 200);
    let status: Value = serde_json::from_str(&status.text).unwrap();
    assert_eq!(
        (&status["name"], &status["status"], &status["reason"]),
        (&json!("pipeline.gate"), &json!("OK"), &Value::Null)
    );

    let transit = pushed
        .post_text("/v2/import/batch", "application/transit+json", "[]")
        .await;
    transit.is(415, "Content-Type must be application/json");
    assert_eq!(transit.media_type, "text/plain; charset=utf-8");
    let csv = pushed.post_text("/v2/import/push", "text/csv", "a,b").await;
    csv.is(
        415,
        r#"{"status":"ERROR","message":"Unsupported content-type text/csv. Please send application/json or application/transit+json"}"#,
    );
    let charset = pushed
        .post_text(
            "/v2/import/batch",
            "Application/JSON; charset=utf-8",
            body(1).to_string(),
        )
        .await;
    charset.accepted();
    let object = pushed.post("/v2/import/push", &json!({})).await;
    object.is(
        400,
        r#"{"status":"ERROR","message":"An array of records is expected"}"#,
    );
}

#[tokio::test]
async fn bodies_have_their_limits_also_when_they_are_compressed() {
    let pushed = Pushed::start().await;
    pushed.batch(&body(20_000)).await.accepted();
    let limit = 20 << 20;
    let mut large = body(1).to_string();
    large.push_str(&" ".repeat(limit - large.len()));
    for (bytes, expected) in [(limit, 201), (limit + 1, 413)] {
        large.push_str(&" ".repeat(bytes - large.len()));
        let plain = pushed
            .post_text("/v2/import/batch", "application/json", large.clone())
            .await;
        assert_eq!(plain.status, expected, "{}", plain.text);
        for encoding in ["gzip", "deflate"] {
            let packed = compressed(encoding, large.as_bytes());
            let said = pushed
                .raw(|http, base| {
                    http.post(format!("{base}/v2/import/batch"))
                        .header(AUTHORIZATION, format!("Bearer {}", pushed.token))
                        .header(CONTENT_TYPE, "application/json")
                        .header(CONTENT_ENCODING, encoding)
                        .body(packed)
                })
                .await;
            assert_eq!(said.status, expected, "{encoding} {}", said.text);
            assert_eq!(said.text, plain.text, "{encoding}");
        }
        if expected == 413 {
            plain.is(
                413,
                r#"{"status":"ERROR","message":"Request rejected: request size (20971521s bytes) exceeds the maximum"}"#,
            );
        }
    }
}

fn compressed(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        _ => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

#[tokio::test]
async fn validating_keeps_nothing() {
    let pushed = Pushed::start().await;
    let account = pushed.platform.account;
    let record = |id: i64, table: &str| {
        json!({ "client_id": account, "table_name": table, "sequence": 1, "action": "upsert", "key_names": ["id"],
            "data": { "id": id } })
    };
    let valid = pushed
        .post("/v2/import/validate", &json!([record(1, "validated")]))
        .await;
    valid.is(200, r#"{"status":"OK","message":"Batch is valid!"}"#);
    let mut strange = record(2, "validated");
    strange["client_id"] = json!(account + 1);
    let strange = pushed.post("/v2/import/validate", &json!([strange])).await;
    assert_eq!(strange.status, 403);
    pushed
        .post("/v2/import/push", &json!([record(3, "pushed")]))
        .await
        .accepted();
    pushed
        .rows_become("select id::text, '' from pushed.pushed", &[("3", "")])
        .await;
    let query = "select to_regclass('pushed.validated')::text, ''";
    pushed.rows_become(query, &[("NULL", "")]).await;
}
