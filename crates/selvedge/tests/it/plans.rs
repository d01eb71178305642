//! Plans: defined in the configuration file, given to accounts from the command line.

use std::time::Duration;

use serde_json::{Value, json};

use crate::command_line::text;
use crate::platform::{Platform, settings};

const PLANS: &str =
    "[plans.basic]\napi_access = false\n[plans.full]\n[accounts]\ndefault_plan = \"full\"\n";
const SOON: Duration = Duration::from_secs(15);

#[tokio::test]
async fn an_account_is_put_on_a_plan_while_the_server_runs_and_no_plan_is_guessed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("selvedge.toml");
    std::fs::write(&file, PLANS).unwrap();
    let config = file.display().to_string();
    let mut platform =
        Platform::start_with(settings().environment("SELVEDGE_CONFIG", config)).await;
    let account = platform.account.to_string();
    let plan_of = async |platform: &Platform| {
        let listed = platform.server.run_json(&["account", "list", "--json"]);
        listed.await["plan"].clone()
    };
    assert_eq!(plan_of(&platform).await, "full");
    platform.api.get("/v4/sources").await.status(200);

    for (arguments, plan, status) in [
        (["account", "plan", &account, "basic"], json!("basic"), 401),
        (["account", "plan", &account, "--none"], Value::Null, 200),
    ] {
        let changed = platform.server.run(&arguments).await;
        assert!(changed.status.success(), "{}", text(&changed.stderr));
        assert_eq!(plan_of(&platform).await, plan);
        platform.api.get("/v4/sources").await.status(status);
    }
    let unknown = platform
        .server
        .run(&["account", "plan", &account, "large"])
        .await;
    let error = text(&unknown.stderr);
    assert!(!unknown.status.success(), "{error}");
    assert!(
        error.contains("large") && error.contains("basic, full"),
        "{error}"
    );
    let nobody = platform.server.run(&["account", "plan", "1", "full"]).await;
    assert!(!nobody.status.success());

    // The plan of an account vanishes from the configuration.
    let given = platform
        .server
        .run(&["account", "plan", &account, "basic"])
        .await;
    assert!(given.status.success(), "{}", text(&given.stderr));
    platform.server.terminate(SOON).await;
    std::fs::write(&file, "[plans.full]\n").unwrap();
    let refused = platform
        .server
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .await;
    let error = text(&refused.stderr);
    assert!(!refused.status.success());
    assert!(
        error.contains("\"basic\"") && error.contains("selvedge account plan"),
        "{error}"
    );
    let freed = platform
        .server
        .run(&["account", "plan", &account, "--none"])
        .await;
    assert!(freed.status.success(), "{}", text(&freed.stderr));
    platform.restart().await;
    platform.api.get("/v4/sources").await.status(200);
}
