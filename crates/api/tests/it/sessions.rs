use selvedge_control::{sessions, tokens};
use selvedge_types::{AccountId, AccountScope};

use crate::app::{Tenant, TestApp};

const UNAUTHORIZED: &str =
    r#"{"error":"Unauthorized","data":{"message":"invalid or missing access token"}}"#;
const PATH: &str = "/v3/sessions/ephemeral";

async fn app() -> (TestApp, Tenant) {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    (app, tenant)
}

async fn ephemeral(app: &TestApp, tenant: &Tenant) -> String {
    let answer = app.send("POST", PATH, Some(&tenant.token), None).await;
    let token = answer.ok()["ephemeral_token"].as_str().unwrap().to_owned();
    answer.is(200, &format!(r#"{{"ephemeral_token":"{token}"}}"#));
    token
}

async fn status(app: &TestApp, token: &str) -> u16 {
    let answer = app
        .send_raw("GET", "/v4/sources", Some(token), Vec::new())
        .await;
    answer.status.as_u16()
}

#[tokio::test]
async fn an_ephemeral_token_works_like_its_access_token_for_an_hour() {
    let (app, tenant) = app().await;
    let source = app.source(&tenant, "Shop").await;
    let token = ephemeral(&app, &tenant).await;
    assert_ne!(token, ephemeral(&app, &tenant).await);
    app.clock.advance_seconds(3_599);
    for form in ["Bearer ", "bearer ", "Bearer: ", ""] {
        let authorization = format!("{form}{token}");
        let path = format!("/v4/sources/{source}");
        let answer = app
            .send_raw("GET", &path, Some(&authorization), Vec::new())
            .await;
        assert_eq!(answer.ok()["id"], source, "{form:?}");
    }
    // Where the path names the account, too.
    let path = format!("/v4/{}/extractions", tenant.account);
    app.send("GET", &path, Some(&token), None).await.ok();
    app.clock.advance_seconds(1);
    app.send("GET", "/v4/sources", Some(&token), None)
        .await
        .is(401, UNAUTHORIZED);
}

#[tokio::test]
async fn an_ephemeral_token_makes_no_further_one() {
    let (app, tenant) = app().await;
    let token = ephemeral(&app, &tenant).await;
    for token in [Some(token.as_str()), Some("nonsense"), None] {
        app.send("POST", PATH, token, None)
            .await
            .is(401, UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_ephemeral_token_ends_with_the_access_token_that_made_it() {
    let (app, tenant) = app().await;
    let scope = AccountScope::of(AccountId(tenant.account));
    let mut tx = app.control.store().begin().await.unwrap();
    let (id, second) = selvedge_store::tokens::mint(&mut tx, scope, None, app.control.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let second = Tenant {
        account: tenant.account,
        token: second.expose().to_owned(),
    };
    let (of_first, of_second) = (
        ephemeral(&app, &tenant).await,
        ephemeral(&app, &second).await,
    );
    let mut tx = app.control.store().begin().await.unwrap();
    selvedge_store::tokens::revoke(&mut tx, scope, id, app.control.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(status(&app, &of_second).await, 401);
    assert_eq!(status(&app, &of_first).await, 200);

    let mut tx = app.control.store().begin().await.unwrap();
    selvedge_store::accounts::delete(&mut tx, scope, app.control.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(status(&app, &of_first).await, 401);
}

#[tokio::test]
async fn using_an_ephemeral_token_counts_as_use_of_its_access_token() {
    let (app, tenant) = app().await;
    let token = ephemeral(&app, &tenant).await;
    app.clock.advance_seconds(120);
    assert_eq!(status(&app, &token).await, 200);
    tokens::flush_use(&app.control).await.unwrap();
    let scope = AccountScope::of(AccountId(tenant.account));
    let mut tx = app.control.store().read().await.unwrap();
    let used = selvedge_store::tokens::list(&mut tx, scope).await.unwrap()[0].last_used_at;
    assert_eq!(used, Some(app.control.now()));
}

#[tokio::test]
async fn expired_tokens_are_cleaned_up_and_others_kept() {
    let (app, tenant) = app().await;
    let first = ephemeral(&app, &tenant).await;
    app.clock.advance_seconds(1_800);
    let second = ephemeral(&app, &tenant).await;
    app.clock.advance_seconds(1_800);
    sessions::delete_expired(&app.control).await.unwrap();
    assert_eq!(status(&app, &second).await, 200);
    // Even if the clock went back.
    app.clock.advance_seconds(-1_800);
    assert_eq!(status(&app, &first).await, 401);
}
