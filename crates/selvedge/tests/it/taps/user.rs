//! Taps with a user of their own, in a whole server.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::with_types;
use crate::platform::Platform;

/// Nobody has this number, nor needs to.
const STRANGER: &str = "54321";
const TYPE: &str = "platform.who";

/// What a server says that does not start with such settings.
fn refused(folder: &Path, settings: &str) -> String {
    let config = folder.join("refused.toml");
    std::fs::write(&config, settings).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_selvedge"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.join("data"))
        .arg("--config")
        .arg(&config)
        .env_remove("SELVEDGE_CONFIG")
        .output()
        .expect("the binary runs");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn taps_run_as_the_user_that_the_settings_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mode = |name: &str, mode| {
        std::fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
    };
    for name in ["taps", "notes", "closed"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    mode("", 0o711);
    mode("notes", 0o777);
    mode("closed", 0o700);
    let user = |directory: &str| {
        let directory = path(directory);
        format!("[taps]\nuser = \"{STRANGER}\"\ndirectory = {directory:?}\n")
    };
    if !rustix::process::geteuid().is_root() {
        let said = refused(folder.path(), &user("taps"));
        assert!(said.contains("only a server that runs as root"), "{said}");
        return;
    }
    let said = refused(folder.path(), &user("data/taps/environments"));
    assert!(
        said.contains("must lie outside of the data directory"),
        "{said}"
    );
    let said = refused(folder.path(), &user("closed/taps"));
    assert!(
        said.contains("cannot enter") && said.contains("/closed"),
        "{said}"
    );

    let script = format!(
        "id -u >> {notes}\nls -ln \"$2\" | cut -c1-10 >> {notes}\necho '{{\"streams\": []}}'\n",
        notes = path("notes/users").display()
    );
    std::fs::write(path("tap.sh"), script).unwrap();
    let types = json!([{
        "type": TYPE, "display_name": "Who", "category": "saas",
        "properties": [{"name": "token", "is_required": true, "is_credential": true}],
        "tap": {"command": ["/bin/sh", path("tap.sh")]},
    }]);
    let further = format!("user = \"{STRANGER}\"\ndirectory = {:?}\n", path("taps"));
    let platform = Platform::start_with(with_types(folder.path(), &types, &further)).await;
    let body = json!({"type": TYPE, "display_name": "Who", "properties": {"token": "t"}});
    let source = platform.source(&body).await;
    platform.streams(source).await;
    let notes = std::fs::read_to_string(path("notes/users")).unwrap();
    assert!(notes.starts_with("54321\n-rw-------\n"), "{notes}");
    let runs = std::fs::read_dir(path("taps/.runs")).unwrap();
    assert_eq!(runs.count(), 0);
}
