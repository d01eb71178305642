//! A partner exchanges a code for a token.

use axum::body::Body;
use selvedge_control::oauth;
use selvedge_store::partners;
use selvedge_types::AccountId;
use serde_json::{Value, json};

use crate::app::{Answer, Tenant, TestApp};

const PATH: &str = "/oauth/token";
const FORM: &str = "application/x-www-form-urlencoded";
const CALLBACK: &str = "https://app.example.com/callback?from=selvedge";

/// A partner with a registered callback, and an account that may let it in.
struct Case {
    app: TestApp,
    tenant: Tenant,
    partner: String,
    secret: String,
}

impl Case {
    async fn start() -> Self {
        Self::on(TestApp::start().await).await
    }

    async fn on(app: TestApp) -> Self {
        let tenant = app.tenant("ada@acme.example").await;
        let (partner, secret) = partner(&app, "Loom").await;
        Self {
            app,
            tenant,
            partner,
            secret,
        }
    }

    async fn code(&self) -> String {
        self.code_of(&self.partner).await
    }

    async fn code_of(&self, partner: &str) -> String {
        let mut tx = self.app.control.store().begin().await.unwrap();
        let authorization = oauth::find_authorization(&mut tx, partner, Some(CALLBACK))
            .await
            .unwrap();
        let account = AccountId(self.tenant.account);
        let granted = oauth::grant(
            &mut tx,
            &authorization,
            account,
            None,
            self.app.control.now(),
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        granted.code.expose().to_owned()
    }

    fn form(&self, code: &str) -> String {
        let secret = &self.secret;
        format!("client_secret={secret}&code={code}&grant_type=authorization_code")
    }

    async fn send(&self, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
        let headers: Vec<_> = content_type
            .map(|value| ("content-type", value))
            .into_iter()
            .collect();
        let answer = self.app.send_with("POST", PATH, &headers, body).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer
    }

    async fn exchange(&self, form: &str) -> Answer {
        self.send(Some(FORM), form.to_owned()).await
    }
}

async fn partner(app: &TestApp, name: &str) -> (String, String) {
    let mut tx = app.control.store().begin().await.unwrap();
    let uris = ["https://first.example".to_owned(), CALLBACK.to_owned()];
    let (partner, secret) = partners::create(&mut tx, name, &uris, app.control.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    (partner.id, secret.expose().to_owned())
}

#[track_caller]
fn refused(answer: &Answer, error: &str) {
    answer.is(400, &format!(r#"{{"error":"{error}"}}"#));
}

#[tokio::test]
async fn a_code_becomes_a_token_of_the_account_that_gave_it() {
    let case = Case::start().await;
    let answer = case.exchange(&case.form(&case.code().await)).await;
    let token = answer.ok()["access_token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("ac_"));
    let account = case.tenant.account;
    answer.is(
        200,
        &format!(
            r#"{{"token_type":"bearer","access_token":"{token}","stitch_account_id":{account}}}"#
        ),
    );
    let partner = Tenant { account, token };
    let source = case.app.source(&partner, "Shop").await;
    let path = format!("/v4/sources/{source}");
    case.app.get(&case.tenant, &path).await.ok();

    // Another exchange makes another token, and takes none away.
    let second = case.exchange(&case.form(&case.code().await)).await.ok();
    assert_ne!(second["access_token"], partner.token);
    case.app.get(&partner, &path).await.ok();
}

#[tokio::test]
async fn json_is_taken_too_with_the_optional_fields() {
    let case = Case::start().await;
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let body = json!({
            "grant_type": "authorization_code", "client_secret": case.secret, "code": case.code().await,
            "client_id": case.partner, "redirect_uri": CALLBACK, "unknown": {"is": "ignored"},
        });
        case.send(Some(content_type), body.to_string()).await.ok();
    }
    // A form with the same, and without a content type.
    let form = format!(
        "{}&client_id={}&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback%3Ffrom%3Dselvedge&scope=all&scope=none",
        case.form(&case.code().await),
        case.partner
    );
    case.send(None, form).await.ok();
}

#[tokio::test]
async fn a_field_that_is_missing_repeated_or_malformed_is_an_invalid_request() {
    let case = Case::start().await;
    let code = case.code().await;
    let full = case.form(&code);
    for (name, with) in [
        ("client_secret", "client_secret="),
        ("code", "code="),
        ("grant_type", "grant_type="),
    ] {
        let rest: Vec<&str> = full
            .split('&')
            .filter(|pair| !pair.starts_with(with))
            .collect();
        refused(&case.exchange(&rest.join("&")).await, "invalid_request");
        let empty = format!("{}&{name}=", rest.join("&"));
        refused(&case.exchange(&empty).await, "invalid_request");
        let twice = format!("{full}&{name}=again");
        refused(&case.exchange(&twice).await, "invalid_request");
    }
    for body in ["", "&", "{}", "=", "%FF=%FE", "code"] {
        let answer = case.exchange(body).await;
        answer.shows("OAUTH-INVALID-REQUEST", &[]);
    }
    let secret = &case.secret;
    let twice = format!(
        r#"{{"grant_type":"authorization_code","client_secret":"{secret}","code":"{code}","code":"{code}"}}"#
    );
    let number =
        format!(r#"{{"grant_type":"authorization_code","client_secret":"{secret}","code":7}}"#);
    for body in ["", "[]", "{", "{}", "null", &twice, &number] {
        let answer = case.send(Some("application/json"), body.to_owned()).await;
        refused(&answer, "invalid_request");
    }
    let bytes = vec![0xff_u8, b'=', 0xfe];
    refused(&case.send(Some(FORM), bytes).await, "invalid_request");
    // Nothing of this has used the code up.
    let exchanged = case.exchange(&full).await;
    exchanged.shows("POST /oauth/token", &[]);
}

#[tokio::test]
async fn another_grant_type_is_unsupported() {
    let case = Case::start().await;
    for grant_type in ["password", "refresh_token", "AUTHORIZATION_CODE"] {
        let form = format!("grant_type={grant_type}&client_secret={}", case.secret);
        let answer = case.exchange(&form).await;
        answer.shows("OAUTH-UNSUPPORTED-GRANT-TYPE", &[]);
    }
}

#[tokio::test]
async fn an_unknown_secret_a_foreign_id_and_a_disabled_partner_are_invalid_clients() {
    let case = Case::start().await;
    let code = case.code().await;
    let (other, _) = partner(&case.app, "Other").await;
    let unknown = format!("client_secret=oc_nobody&code={code}&grant_type=authorization_code");
    let answer = case.exchange(&unknown).await;
    answer.shows("OAUTH-INVALID-CLIENT", &[]);
    for id in [other.as_str(), "oc_nobody", "%00"] {
        let foreign = format!("{}&client_id={id}", case.form(&code));
        refused(&case.exchange(&foreign).await, "invalid_client");
    }
    // The id of a partner is no secret.
    let public = format!(
        "client_secret={}&code={code}&grant_type=authorization_code",
        case.partner
    );
    refused(&case.exchange(&public).await, "invalid_client");

    let mut tx = case.app.control.store().begin().await.unwrap();
    partners::disable(&mut tx, &case.partner, case.app.control.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    refused(&case.exchange(&case.form(&code)).await, "invalid_client");
}

#[tokio::test]
async fn a_code_that_is_unknown_expired_used_or_of_another_partner_is_an_invalid_grant() {
    let case = Case::start().await;
    let (other, _) = partner(&case.app, "Other").await;
    let theirs = case.code_of(&other).await;
    for code in ["0000", "%00", theirs.as_str()] {
        let answer = case.exchange(&case.form(code)).await;
        answer.shows("OAUTH-INVALID-GRANT", &[]);
    }
    let used = case.code().await;
    case.exchange(&case.form(&used)).await.ok();
    refused(&case.exchange(&case.form(&used)).await, "invalid_grant");

    let (in_time, late) = (case.code().await, case.code().await);
    let elsewhere = format!("{}&redirect_uri=https://first.example", case.form(&in_time));
    refused(&case.exchange(&elsewhere).await, "invalid_grant");
    case.app.clock.advance_seconds(299);
    case.exchange(&case.form(&in_time)).await.ok();
    case.app.clock.advance_seconds(1);
    refused(&case.exchange(&case.form(&late)).await, "invalid_grant");
    oauth::delete_expired(&case.app.control).await.unwrap();
    refused(&case.exchange(&case.form(&late)).await, "invalid_grant");
}

#[tokio::test]
async fn a_body_beyond_any_token_request_is_too_large() {
    let case = Case::start().await;
    let form = format!("{}&padding={}", case.form("x"), "x".repeat(70_000));
    case.exchange(&form).await.is(
        413,
        r#"{"error":"TooLarge","data":{"message":"body too large"}}"#,
    );
}

#[tokio::test]
async fn of_two_exchanges_at_once_one_gets_a_token() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let case = Case::on(app).await;
        let form = case.form(&case.code().await);
        let (one, two) = tokio::join!(case.exchange(&form), case.exchange(&form));
        let mut answers = [&one, &two];
        answers.sort_by_key(|answer| answer.status);
        answers[0].ok();
        refused(answers[1], "invalid_grant");
    }
}

#[tokio::test]
async fn a_code_and_a_secret_are_no_access_tokens() {
    let case = Case::start().await;
    for text in [case.code().await, case.secret.clone()] {
        let answer = case.app.send("GET", "/v4/sources", Some(&text), None).await;
        assert_eq!(answer.status, 401);
    }
    let other: Value = case.app.get(&case.tenant, "/v4/sources").await.ok();
    assert_eq!(other, json!([]));
}
