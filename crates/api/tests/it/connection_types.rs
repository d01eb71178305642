use crate::app::TestApp;

#[tokio::test]
async fn the_catalogue_lists_cards_and_finds_each() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    for list in ["/v4/source-types", "/v4/destination-types"] {
        let cards = app.get(&tenant, list).await.ok();
        let cards = cards.as_array().unwrap();
        assert!(!cards.is_empty());
        for card in cards.iter().step_by(17) {
            let name = card["type"].as_str().unwrap();
            assert_eq!(
                &app.get(&tenant, &format!("{list}/{name}")).await.ok(),
                card
            );
        }
        app.get(&tenant, &format!("{list}/nope")).await.is(
            404,
            r#"{"error":"NotFound","data":{"message":"not found"}}"#,
        );
    }
}

#[tokio::test]
async fn a_card_says_what_runs_here() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    for (path, runs) in [
        ("/v4/source-types/platform.postgres", "native"),
        ("/v4/source-types/platform.github", "not_yet"),
        ("/v4/destination-types/sqlite", "native"),
    ] {
        assert_eq!(
            app.get(&tenant, path).await.ok()["details"]["runs"],
            runs,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_card_has_the_documented_field_order() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let card = app
        .get(&tenant, "/v4/source-types/platform.github")
        .await
        .ok();
    let keys: Vec<&String> = card.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "type",
            "current_step",
            "current_step_type",
            "steps",
            "details",
            "upgrade_available"
        ]
    );
    let property = &card["steps"][0]["properties"][0];
    let keys: Vec<&String> = property.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "name",
            "is_required",
            "is_credential",
            "system_provided",
            "property_type",
            "json_schema",
            "provided",
            "tap_mutable"
        ]
    );
}
