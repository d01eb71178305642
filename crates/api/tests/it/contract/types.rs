use crate::app::TestApp;

#[tokio::test]
async fn connection_types() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let get = async |path: &str| app.get(&tenant, path).await;
    get("/v4/destination-types")
        .await
        .shows("GET /v4/destination-types", &[]);
    get("/v4/destination-types/postgres")
        .await
        .shows("GET /v4/destination-types/{destination_type}", &[]);
    get("/v4/source-types")
        .await
        .shows("GET /v4/source-types", &[]);
    get("/v4/source-types/platform.postgres")
        .await
        .shows("GET /v4/source-types/{source_type}", &[]);
    for unknown in ["nope", "%00", "%FF", "a%2Fb", "..%2f.."] {
        get(&format!("/v4/source-types/{unknown}"))
            .await
            .shows("GEN-404", &[]);
        get(&format!("/v4/destination-types/{unknown}"))
            .await
            .shows("GEN-404", &[]);
    }
}
