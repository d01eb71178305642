use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn accounts_and_sessions() {
    let app = TestApp::start().await;
    let post = async |body: &Value| app.send("POST", "/v3/accounts", None, Some(body)).await;
    let form = app.account_form("ada@acme.example");
    let created = post(&form).await;
    created.shows("POST /v3/accounts", &[]);
    post(&app.account_form("ADA@acme.example"))
        .await
        .shows("ACC-1", &[]);
    post(&json!([])).await.shows("ACC-2", &[]);
    for wrong in [json!(null), json!("oc_nobody")] {
        let mut form = form.clone();
        form["partner_id"] = wrong;
        // The credentials are judged before the email address.
        post(&form).await.shows("ACC-3", &[]);
    }
    for wrong in [json!(null), json!("oc_wrong")] {
        let mut form = form.clone();
        form["partner_secret"] = wrong;
        post(&form).await.shows("ACC-4", &[]);
    }
    let token = created.json()["access_token"].as_str().unwrap().to_owned();
    app.send("POST", "/v3/sessions/ephemeral", Some(&token), None)
        .await
        .shows("POST /v3/sessions/ephemeral", &[]);
}
