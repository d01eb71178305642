//! The operator lets a partner into an account, and the partner gets its token.

use selvedge_testkit::server::ServerProcess;
use serde_json::{Value, json};

use crate::command_line::text;
use crate::platform::{Platform, settings};

const CALLBACK: &str = "https://loom.example/cb";
const OTHER: &str = "https://loom.example/other?x=1";

/// A partner with two callbacks: its id and secret.
async fn partner(server: &ServerProcess) -> (String, String) {
    let made = server
        .run_json(&[
            "partner",
            "create",
            "--name",
            "Loom",
            "--redirect-uri",
            CALLBACK,
            "--redirect-uri",
            OTHER,
            "--json",
        ])
        .await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("partner_id"), text("partner_secret"))
}

#[tokio::test]
async fn a_partner_that_the_operator_lets_in_gets_a_token_of_the_account() {
    let platform = Platform::start().await;
    let server = &platform.server;
    let (partner, secret) = partner(server).await;
    let account = platform.account.to_string();
    let authorize = ["partner", "authorize", &partner, &account];

    let printed = server.run(&authorize).await;
    assert!(printed.status.success(), "{}", text(&printed.stderr));
    let callback = format!("{CALLBACK}?code=");
    let printed = text(&printed.stdout);
    assert!(printed.starts_with(&callback), "{printed}");

    let more = ["--redirect-uri", OTHER, "--state", "a b", "--json"];
    let granted = server.run_json(&[&authorize[..], &more].concat()).await;
    let code = granted["code"].as_str().unwrap();
    assert_eq!(
        granted["callback"],
        format!("{OTHER}&code={code}&state=a%20b")
    );
    assert!(granted["expires_at"].is_string());

    let request =
        json!({"grant_type": "authorization_code", "client_secret": secret, "code": code});
    let api = server.client();
    let token = api.post("/oauth/token", &request).await.status(200);
    assert_eq!(token["token_type"], "bearer");
    assert_eq!(token["stitch_account_id"], platform.account);
    let api = api.with_token(token["access_token"].as_str().unwrap());
    assert_eq!(api.get("/v4/sources").await.status(200), json!([]));
    let again: Value = api.post("/oauth/token", &request).await.status(400);
    assert_eq!(again, json!({"error": "invalid_grant"}));
}

#[tokio::test]
async fn nobody_is_let_in_by_mistake() {
    let platform = Platform::start().await;
    let server = &platform.server;
    let (partner, _) = partner(server).await;
    let account = platform.account.to_string();
    for (arguments, sentence) in [
        (vec!["oc_nobody", &account], "no such partner"),
        (vec![&partner, "123"], "no account 123"),
        (
            vec![
                &partner,
                &account,
                "--redirect-uri",
                "https://evil.example/",
            ],
            "redirect URI",
        ),
        (
            // The same place in other words is another address.
            vec![
                &partner,
                &account,
                "--redirect-uri",
                "https://loom.example/cb/",
            ],
            "redirect URI",
        ),
    ] {
        let refused = server
            .run(&[&["partner", "authorize"], &arguments[..]].concat())
            .await;
        assert!(!refused.status.success(), "{arguments:?}");
        let error = text(&refused.stderr);
        assert!(error.contains(sentence), "{error}");
        assert_eq!(text(&refused.stdout), "");
    }
    let disabled = server.run(&["partner", "disable", &partner]).await;
    assert!(disabled.status.success());
    let refused = server
        .run(&["partner", "authorize", &partner, &account])
        .await;
    assert!(!refused.status.success());
}

#[tokio::test]
async fn the_page_for_users_judges_what_the_partner_asks_for_and_sends_nobody_anywhere() {
    let server = ServerProcess::start(settings()).await;
    let (partner, _) = partner(&server).await;
    let client = server.client();
    let page = async |query: String, status: u16| {
        let answer = client.get(&format!("/oauth/authorization{query}")).await;
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.headers[name], value, "{query}");
        }
        assert!(!answer.headers.contains_key("location"), "{query}");
        let page = answer.status(status);
        page.as_str().expect("a page is no JSON").to_owned()
    };
    for (query, redirect_uri) in [
        ("", CALLBACK),
        ("&redirect_uri=&state=s&email=a%40b.example", CALLBACK),
        (
            "&redirect_uri=https%3A%2F%2Floom.example%2Fother%3Fx%3D1",
            OTHER,
        ),
    ] {
        let text = page(format!("?client_id={partner}{query}"), 501).await;
        let command = format!(
            "selvedge partner authorize {partner} ACCOUNT_ID --redirect-uri '{redirect_uri}'"
        );
        assert!(text.contains(&command), "{text}");
    }

    for query in [
        String::new(),
        "?client_id=".to_owned(),
        "?client_id=oc_nobody".to_owned(),
        "?client_id=%00".to_owned(),
        "?client_id=%FF".to_owned(),
        format!("?client_id={partner}&client_id={partner}"),
        format!("?client_id={partner}&redirect_uri=https://evil.example/%3Cscript%3E"),
        format!("?client_id={partner}&redirect_uri={CALLBACK}/"),
        format!("?client_id={partner}&redirect_uri={CALLBACK}?x=1"),
        format!("?client_id={partner}&redirect_uri=HTTPS://loom.example/cb"),
        format!("?client_id={partner}&redirect_uri={CALLBACK}&redirect_uri={CALLBACK}"),
    ] {
        let text = page(query, 400).await;
        for sent in ["evil", "script>", "oc_"] {
            assert!(!text.contains(sent), "{sent}: {text}");
        }
    }

    let without = server
        .run_json(&["partner", "create", "--name", "Bare", "--json"])
        .await;
    let id = without["partner_id"].as_str().unwrap();
    page(format!("?client_id={id}"), 400).await;
    let disabled = server.run(&["partner", "disable", &partner]).await;
    assert!(disabled.status.success());
    page(format!("?client_id={partner}"), 400).await;
}
