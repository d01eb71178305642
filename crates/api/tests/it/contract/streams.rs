use serde_json::{Value, json};

use crate::app::{TestApp, metadata_update};

#[tokio::test]
async fn streams() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}/streams");
    let listed = app.get(&tenant, &path).await;
    listed.shows("GET /v4/sources/{source_id}/streams", &[]);
    let stream = &listed.json()[0]["stream_id"];
    app.get(&tenant, &format!("{path}/{stream}"))
        .await
        .shows("GET /v4/sources/{source_id}/streams/{stream_id}", &[]);
    app.get(&tenant, &format!("{path}/7"))
        .await
        .shows("STR-1", &[("STREAM_ID", "7")]);
    app.get(&tenant, &format!("/v4/sources/1/streams/{stream}"))
        .await
        .shows("STR-2", &[("STREAM_ID", &stream.to_string())]);

    let put = async |body: Value| app.put(&tenant, &format!("{path}/metadata"), body).await;
    let of = |id: Value, breadcrumb: Value, metadata: Value| json!({"streams": [{"tap_stream_id": id, "metadata": [{"breadcrumb": breadcrumb, "metadata": metadata}]}]});
    let orders = || json!("shop-public-orders");
    let wrong = json!({"inclusion": "x", "selected": 1});
    app.put(&tenant, "/v4/sources/1/streams/metadata", json!([]))
        .await
        .shows("GEN-404", &[]);
    for body in [
        json!({}),
        json!({"streams": [{"tap_stream_id": "x"}]}),
        json!({"streams": [{"metadata": [{"metadata": {}}]}]}),
        json!({"streams": [{"metadata": [{"breadcrumb": []}]}]}),
    ] {
        put(body).await.shows("STR-7", &[]);
    }
    put(of(Value::Null, json!(["x"]), wrong.clone()))
        .await
        .shows("STR-3", &[]);
    put(of(json!("nope"), json!(["x"]), wrong.clone()))
        .await
        .shows("STR-4", &[("TAP_STREAM_ID", "nope")]);
    put(of(orders(), json!(["properties", "nope"]), wrong.clone()))
        .await
        .shows("STR-BREADCRUMB", &[("PATH", "properties nope")]);
    let shape = || json!(["properties", "shape"]);
    put(of(orders(), shape(), wrong))
        .await
        .shows("STR-5", &[("KEY", "inclusion")]);
    put(of(
        orders(),
        shape(),
        json!({"selected": true, "replication-method": "x"}),
    ))
    .await
    .shows("STR-VALUE", &[("KEY", "replication-method")]);
    put(of(orders(), shape(), json!({"selected": true})))
        .await
        .shows("STR-6", &[]);
    put(metadata_update(json!({"selected": true})))
        .await
        .shows("PUT /v4/sources/{source_id}/streams/metadata", &[]);
}
