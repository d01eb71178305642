//! Partners, accounts and the data directory from the command line.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) fn selvedge(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    for name in [
        "SELVEDGE_DATA_DIR",
        "SELVEDGE_CONFIG",
        "SELVEDGE_DATABASE_URL",
        "SELVEDGE_MASTER_KEY",
    ] {
        command.env_remove(name);
    }
    command.args(arguments).output().expect("the binary runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

fn data_dir(directory: &Path) -> String {
    directory.join("data").display().to_string()
}

#[test]
fn a_partner_is_made_listed_rotated_and_disabled() {
    let directory = tempfile::tempdir().unwrap();
    let data = data_dir(directory.path());
    let made = json(&selvedge(&[
        "partner",
        "create",
        "--name",
        "Acme",
        "--json",
        "--data-dir",
        &data,
    ]));
    let (id, secret) = (
        made["partner_id"].as_str().unwrap(),
        made["partner_secret"].as_str().unwrap(),
    );
    assert!(id.starts_with("oc_") && secret.starts_with("oc_") && id != secret);

    let rotated = json(&selvedge(&[
        "partner",
        "rotate",
        id,
        "--json",
        "--data-dir",
        &data,
    ]));
    assert_ne!(rotated["partner_secret"], made["partner_secret"]);
    assert!(
        selvedge(&["partner", "disable", id, "--data-dir", &data])
            .status
            .success()
    );
    let listed = json(&selvedge(&[
        "partner",
        "list",
        "--json",
        "--data-dir",
        &data,
    ]));
    assert_eq!(listed[0]["partner_id"], id);
    assert!(listed[0]["disabled_at"].is_string());
    assert!(
        !listed.to_string().contains(secret),
        "a listing never shows secrets"
    );
}

#[test]
fn the_data_directory_and_the_master_key_are_closed_to_others() {
    let directory = tempfile::tempdir().unwrap();
    let data = data_dir(directory.path());
    assert!(
        selvedge(&["partner", "list", "--data-dir", &data])
            .status
            .success()
    );
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&format!("{data}/master.key")), 0o600);
    assert_eq!(mode(&format!("{data}/selvedge.db")), 0o600);
}

#[test]
fn another_master_key_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let data = data_dir(directory.path());
    assert!(
        selvedge(&["partner", "list", "--data-dir", &data])
            .status
            .success()
    );
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let refused = selvedge(&[
        "partner",
        "list",
        "--data-dir",
        &data,
        "--master-key",
        other,
    ]);
    assert!(!refused.status.success());
    assert!(
        text(&refused.stderr).contains("SELVEDGE_MASTER_KEY"),
        "{}",
        text(&refused.stderr)
    );

    std::fs::remove_file(format!("{data}/master.key")).unwrap();
    let lost = selvedge(&["partner", "list", "--data-dir", &data]);
    assert!(
        !lost.status.success(),
        "a lost key must not be replaced by a new one"
    );
}

#[test]
fn a_database_url_without_a_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = data_dir(directory.path());
    let url = "postgres://u:hunter2@127.0.0.1:1/db";
    let refused = selvedge(&[
        "partner",
        "list",
        "--data-dir",
        &data,
        "--database-url",
        url,
    ]);
    let error = text(&refused.stderr);
    assert!(
        !refused.status.success() && error.contains("SELVEDGE_MASTER_KEY"),
        "{error}"
    );
    assert!(!error.contains("hunter2"));
}

#[test]
fn unknown_ids_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let data = data_dir(directory.path());
    for arguments in [
        ["partner", "disable", "oc_nobody", "--data-dir", &data],
        ["account", "token", "123456", "--data-dir", &data],
    ] {
        let refused = selvedge(&arguments);
        assert!(!refused.status.success());
        assert!(
            text(&refused.stderr).contains(arguments[2]),
            "{}",
            text(&refused.stderr)
        );
    }
}
