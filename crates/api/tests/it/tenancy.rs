use serde_json::{Value, json};

use crate::app::{Tenant, TestApp};

/// Ids of a source, a destination, a stream, a source of the Import API and its token, a custom e-mail and a hook.
type Ids<'a> = [&'a str; 7];

/// Every route with such ids in its path or body.
fn requests(
    [source, destination, stream, pushed, token, email, hook]: Ids<'_>,
) -> Vec<(&'static str, String, Value)> {
    let notifications = "/notifications/public/v1/api";
    let settings = json!({"properties": {"host": "evil.example.net"}});
    vec![
        ("GET", format!("/v4/sources/{source}"), Value::Null),
        ("PUT", format!("/v4/sources/{source}"), settings.clone()),
        ("DELETE", format!("/v4/sources/{source}"), Value::Null),
        (
            "GET",
            format!("/v4/sources/{source}/last-connection-check"),
            Value::Null,
        ),
        ("GET", format!("/v4/sources/{source}/streams"), Value::Null),
        (
            "GET",
            format!("/v4/sources/{source}/streams/{stream}"),
            Value::Null,
        ),
        (
            "PUT",
            format!("/v4/sources/{source}/streams/metadata"),
            crate::app::metadata_update(json!({"selected": false})),
        ),
        ("GET", format!("/v4/sources/{source}/sync"), Value::Null),
        ("POST", format!("/v4/sources/{source}/sync"), Value::Null),
        ("DELETE", format!("/v4/sources/{source}/sync"), Value::Null),
        (
            "GET",
            format!("/v4/destinations?source_id={source}"),
            Value::Null,
        ),
        (
            "GET",
            format!("/v4/destinations?destination_id={destination}"),
            Value::Null,
        ),
        ("PUT", format!("/v4/destinations/{destination}"), settings),
        (
            "PUT",
            format!("/v3/destinations/{destination}"),
            json!({"type": "postgres", "connection": {"host": "evil.example.net"}}),
        ),
        (
            "DELETE",
            format!("/v4/destinations/{destination}"),
            Value::Null,
        ),
        (
            "GET",
            format!("/v4/destinations/{destination}/last-connection-check"),
            Value::Null,
        ),
        ("GET", format!("/v4/sources/{pushed}/tokens"), Value::Null),
        ("POST", format!("/v4/sources/{pushed}/tokens"), Value::Null),
        (
            "DELETE",
            format!("/v4/sources/{pushed}/tokens/{token}"),
            Value::Null,
        ),
        (
            "POST",
            "/v4/sources".to_owned(),
            json!({"type": "platform.postgres", "display_name": "Mine", "destination_id": destination.parse::<i64>().unwrap()}),
        ),
        (
            "PUT",
            format!("{notifications}/custom-emails/{email}"),
            json!({"disabled_at": "2031-02-03T00:00:00Z"}),
        ),
        (
            "DELETE",
            format!("{notifications}/custom-emails/{email}"),
            Value::Null,
        ),
        (
            "POST",
            format!("{notifications}/hooks"),
            json!({"type": "post_load", "destination_id": destination.parse::<i64>().unwrap(), "config": {"url": "https://evil.example/"}}),
        ),
        (
            "PUT",
            format!("{notifications}/hooks/{hook}"),
            json!({"enable": false}),
        ),
        (
            "DELETE",
            format!("{notifications}/hooks/{hook}"),
            Value::Null,
        ),
    ]
}

/// What every route answers, with the ids that texts repeat made alike.
async fn walk(app: &TestApp, caller: &Tenant, ids: Ids<'_>) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    for (method, path, body) in requests(ids) {
        let answer = app
            .send(method, &path, Some(&caller.token), Some(&body))
            .await;
        let account = format!("client ({})", caller.account);
        let mut text = answer.text.replace(&account, "client (ACCOUNT)");
        for id in ids {
            text = text.replace(id, "ID");
        }
        answers.push((answer.status.as_u16(), text));
    }
    answers
}

/// A source of the Import API and its token.
async fn pushed_source(app: &TestApp, tenant: &Tenant) -> (String, String) {
    let body = json!({"type": "import_api", "display_name": "Pushed"});
    let source = app.post(tenant, "/v4/sources", body).await.ok()["id"].to_string();
    let path = format!("/v4/sources/{source}/tokens");
    let token = app.post(tenant, &path, Value::Null).await.ok()["id"].to_string();
    (source, token)
}

/// Adds a custom e-mail and a hook; their ids.
async fn notified(app: &TestApp, tenant: &Tenant, destination: &Value) -> [String; 2] {
    let email = json!({"email_address": "ops@acme.example"});
    let hook = json!({"type": "post_load", "destination_id": destination, "config": {"url": "https://a.example/"}});
    let add = async |resource: &str, body| {
        let path = format!("/notifications/public/v1/api/{resource}");
        app.post(tenant, &path, body).await.ok()["id"].to_string()
    };
    [add("custom-emails", email).await, add("hooks", hook).await]
}

/// What an account notifies.
async fn notifications(app: &TestApp, tenant: &Tenant) -> [String; 2] {
    let list = async |resource: &str| {
        let path = format!("/notifications/public/v1/api/{resource}");
        app.get(tenant, &path).await.text
    };
    [list("custom-emails").await, list("hooks").await]
}

#[tokio::test]
async fn the_ids_of_another_account_behave_like_unknown_ones() {
    let app = TestApp::start().await;
    let victim = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&victim, "Shop").await;
    app.post(&victim, &format!("/v4/sources/{source}/sync"), Value::Null)
        .await
        .ok();
    let view = app
        .get(&victim, &format!("/v4/sources/{source}"))
        .await
        .ok();
    let stream = app
        .get(&victim, &format!("/v4/sources/{source}/streams"))
        .await
        .ok()[0]["stream_id"]
        .to_string();
    let (pushed, token) = pushed_source(&app, &victim).await;
    let [email, hook] = notified(&app, &victim, &view["destination_id"]).await;
    let notified = notifications(&app, &victim).await;
    let attacker = app.tenant("bob@rival.example").await;

    let foreign = walk(
        &app,
        &attacker,
        [
            &source.to_string(),
            &view["destination_id"].to_string(),
            &stream,
            &pushed,
            &token,
            &email,
            &hook,
        ],
    )
    .await;
    let ids = [1, 2, 3, 4, 5, 6, 7].map(|number| format!("90000{number}"));
    let unknown = walk(&app, &attacker, ids.each_ref().map(String::as_str)).await;
    assert_eq!(foreign, unknown);
    assert!(
        foreign
            .iter()
            .all(|(status, text)| *status != 200 || text == "[]" || text == "[0]"),
        "{foreign:#?}"
    );

    // Nothing of the victim's has changed.
    assert_eq!(
        app.get(&victim, &format!("/v4/sources/{source}"))
            .await
            .ok(),
        view
    );
    let progress = app
        .get(&victim, &format!("/v4/sources/{source}/sync"))
        .await
        .ok();
    assert_eq!(progress["stop_requested_at"], Value::Null);
    let tokens = app
        .get(&victim, &format!("/v4/sources/{pushed}/tokens"))
        .await
        .ok();
    assert_eq!(tokens[0]["token_id"].to_string(), token);
    assert_eq!(notifications(&app, &victim).await, notified);
    assert_eq!(
        notifications(&app, &attacker).await,
        ["[]", r#"{"post_load":[]}"#]
    );
    app.get(&attacker, "/v4/sources").await.is(200, "[]");
    app.get(&attacker, "/v4/destinations").await.is(200, "[]");
    app.get(&attacker, "/v3/destinations").await.is(200, "[]");
}

#[tokio::test]
async fn credentials_are_in_no_answer() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let destination = app.get(&tenant, "/v4/destinations").await.ok()[0]["id"].to_string();
    let stream = app
        .get(&tenant, &format!("/v4/sources/{source}/streams"))
        .await
        .ok()[0]["stream_id"]
        .to_string();
    let (pushed, token) = pushed_source(&app, &tenant).await;
    let unknown = "1".to_owned();
    let source = source.to_string();
    let ids = [
        &source,
        &destination,
        &stream,
        &pushed,
        &token,
        &unknown,
        &unknown,
    ];
    let ids = ids.map(String::as_str);
    let mut texts: Vec<String> = walk(&app, &tenant, ids)
        .await
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    for (path, body) in [
        (
            "/v4/sources",
            json!({"type": "platform.postgres", "display_name": "Bad", "properties": {"password": "hunter2", "port": "x"}}),
        ),
        (
            "/v4/destinations",
            json!({"type": "postgres", "properties": {"password": "hunter2", "port": "x"}}),
        ),
        (
            "/v3/destinations",
            json!({"type": "postgres", "connection": {"password": "hunter2"}}),
        ),
        (
            "/v4/sources",
            json!({"type": "platform.postgres", "display_name": "Bad", "properties": {"password": ["hunter2"]}}),
        ),
    ] {
        texts.push(app.post(&tenant, path, body).await.text);
    }
    for list in ["/v4/sources", "/v4/destinations", "/v3/destinations"] {
        texts.push(app.get(&tenant, list).await.text);
    }
    assert!(
        texts.iter().all(|text| !text.contains("hunter2")),
        "{texts:#?}"
    );
    assert!(
        texts.iter().any(|text| text.contains("\"password\"")),
        "the walk has seen report cards"
    );
}

#[tokio::test]
async fn names_and_limits_are_each_accounts_own() {
    let app = TestApp::with(|settings| settings.max_destinations = 1, |state| state).await;
    for email in ["ada@acme.example", "bob@rival.example"] {
        let tenant = app.tenant(email).await;
        app.destination(&tenant).await;
        app.source(&tenant, "Shop").await;
    }
}
