//! `selvedge taps …`, with an index that is a folder: no test of these needs the network.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::python;
use crate::command_line::text;
use crate::platform::{Platform, settings};

/// A data directory, an index with a wheel of `tap-tiny` 1.0, and a configuration file with a type that it serves.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        world.publish();
        let types = json!([{
            "type": "platform.tiny", "display_name": "Tiny",
            "properties": [{"name": "token", "is_required": true, "is_credential": true}],
            "tap": {"package": "tap-tiny", "version": "1.0"}
        }]);
        std::fs::write(world.path("types.json"), types.to_string()).unwrap();
        world.configure(&format!(
            "[taps]\npython = {:?}\ntypes = [{:?}]\n",
            python(),
            world.path("types.json")
        ));
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.path("selvedge.toml"), text).unwrap();
    }

    fn taps(&self, arguments: &[&str]) -> Output {
        self.taps_command(arguments)
            .output()
            .expect("the binary runs")
    }

    fn taps_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["SELVEDGE_", "PIP_", "UV_"]
                .iter()
                .any(|prefix| text.starts_with(prefix))
            {
                command.env_remove(&name);
            }
        }
        command
            .arg("taps")
            .args(arguments)
            .arg("--data-dir")
            .arg(self.path("data"))
            .arg("--config")
            .arg(self.path("selvedge.toml"))
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.path("index"))
            .env("UV_NO_INDEX", "1")
            .env("UV_FIND_LINKS", self.path("index"));
        command
    }

    fn publish(&self) {
        let folder = self.path("wheel");
        let info = folder.join("tap_tiny-1.0.dist-info");
        std::fs::create_dir_all(&info).unwrap();
        std::fs::create_dir(self.path("index")).unwrap();
        let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
        write(
            &folder.join("tap_tiny.py"),
            "import sys\n\n\ndef main():\n    if '--discover' in sys.argv:\n        print('{\"streams\": [{\"tap_stream_id\": \"t\", \"stream\": \"t\", \"schema\": {}}]}')\n    else:\n        print('help')\n",
        );
        write(
            &info.join("METADATA"),
            "Metadata-Version: 2.1\nName: tap-tiny\nVersion: 1.0\n",
        );
        write(
            &info.join("WHEEL"),
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        );
        write(
            &info.join("entry_points.txt"),
            "[console_scripts]\ntap-tiny = tap_tiny:main\n",
        );
        write(&info.join("RECORD"), "tap_tiny.py,,\n");
        let made = Command::new(python())
            .args(["-m", "zipfile", "-c"])
            .arg(self.path("index/tap_tiny-1.0-py3-none-any.whl"))
            .args(["tap_tiny.py", "tap_tiny-1.0.dist-info"])
            .current_dir(&folder)
            .status()
            .unwrap();
        assert!(made.success());
    }
}

#[tokio::test]
async fn a_tap_is_installed_on_first_use_where_that_is_allowed() {
    let world = World::new();
    let check = async |install: bool| {
        world.configure(&format!(
            "[taps]\npython = {:?}\ntypes = [{:?}]\ninstall_on_first_use = {install}\n",
            python(),
            world.path("types.json")
        ));
        let settings = settings()
            .environment(
                "SELVEDGE_CONFIG",
                world.path("selvedge.toml").display().to_string(),
            )
            .environment("PIP_NO_INDEX", "1")
            .environment("PIP_FIND_LINKS", world.path("index").display().to_string())
            .environment("UV_NO_INDEX", "1")
            .environment("UV_FIND_LINKS", world.path("index").display().to_string());
        let platform = Platform::start_with(settings).await;
        let body = json!({"type": "platform.tiny", "display_name": "Tiny", "properties": {"token": "secret"}});
        let created = platform.api.post("/v4/sources", &body).await.status(200);
        platform
            .check(&format!("/v4/sources/{}", created["id"]))
            .await
    };
    let refused = check(false).await;
    assert_eq!(refused["status"], "failed", "{refused}");
    let said = refused.to_string();
    assert!(
        said.contains("selvedge taps install platform.tiny"),
        "{said}"
    );
    let taken = check(true).await;
    assert_eq!(taken["status"], "succeeded", "{taken}");
}

fn lines(output: &Output) -> Vec<Value> {
    let text = text(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_tap_is_installed_listed_looked_at_and_removed() {
    let world = World::new();
    let none = world.taps(&["list"]);
    assert!(text(&none.stdout).contains("no taps are installed"));

    let installed = world.taps(&["install", "platform.tiny", "--json"]);
    assert!(installed.status.success(), "{}", text(&installed.stderr));
    assert_eq!(
        lines(&installed),
        [
            json!({"type": "platform.tiny", "package": "tap-tiny", "version": "1.0", "installed": true, "error": null})
        ]
    );
    assert!(
        world
            .path("data/taps/environments/tap-tiny-1.0/selvedge.json")
            .exists()
    );
    let listed = lines(&world.taps(&["list", "--json"]));
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(
        (&listed[0]["installed"], &listed[0]["locked"]),
        (&json!(true), &json!(false))
    );

    // The index has no `wheel` to rehearse with: one check fails and says so, the others go on.
    let looked = world.taps(&["doctor", "--json"]);
    assert!(!looked.status.success());
    let checks = lines(&looked);
    let check = |name: &str| checks.iter().find(|check| check["check"] == name).unwrap();
    assert_eq!(check("package index")["good"], false);
    for name in ["Python", "installer", "disk", "platform.tiny"] {
        assert_eq!(check(name)["good"], true, "{checks:?}");
    }

    let removed = world.taps(&["remove", "platform.tiny"]);
    assert_eq!(text(&removed.stdout), "removed tap-tiny==1.0\n");
    assert!(lines(&world.taps(&["list", "--json"])).is_empty());
}

#[test]
fn uv_makes_the_environment_where_it_is_there() {
    let world = World::new();
    let folder = python();
    let folder = folder.parent().expect("the tests' Python is in a folder");
    assert!(
        folder.join("uv").exists(),
        "{} has no uv: run the tests with `cargo xtask test`",
        folder.display()
    );
    let others = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&others));
    let installed = world
        .taps_command(&["install", "platform.tiny", "--json"])
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("UV_CACHE_DIR", world.path("cache"))
        .output()
        .expect("the binary runs");
    assert!(installed.status.success(), "{}", text(&installed.stderr));
    let marker = world.path("data/taps/environments/tap-tiny-1.0/selvedge.json");
    let marker: Value = serde_json::from_slice(&std::fs::read(marker).unwrap()).unwrap();
    let installer = marker["installer"].as_str().unwrap_or_default();
    assert!(installer.starts_with("uv "), "{marker}");
    let looked = lines(&world.taps(&["doctor", "--json"]));
    let tap = looked
        .iter()
        .find(|check| check["check"] == "platform.tiny");
    assert_eq!(tap.expect("it is looked at")["good"], true, "{looked:?}");
}

#[test]
fn every_type_with_a_tap_is_listed_when_asked_for() {
    let world = World::new();
    let all = lines(&world.taps(&["list", "--all", "--json"]));
    let find = |name: &str| all.iter().find(|row| row["type"] == name);
    assert_eq!(find("platform.github").unwrap()["package"], "tap-github");
    assert_eq!(find("platform.postgres").unwrap()["native"], true);
    assert!(find("platform.tiny").is_some() && find("platform.appfigures").is_none());
    assert!(all.len() > 160);
}

#[test]
fn a_file_names_many_types_and_one_failure_does_not_keep_the_others_from_their_turn() {
    let world = World::new();
    std::fs::write(
        world.path("types.txt"),
        "platform.github # not in this index\nplatform.tiny\n",
    )
    .unwrap();
    let file = world.path("types.txt").display().to_string();
    let installed = world.taps(&["install", "--all-of", &file, "--json"]);
    assert!(!installed.status.success());
    let rows = lines(&installed);
    assert_eq!(
        (&rows[0]["installed"], &rows[1]["installed"]),
        (&json!(false), &json!(true))
    );
    let error = rows[0]["error"].as_str().unwrap();
    assert!(error.contains("tap-github"), "{error}");
}

#[test]
fn what_cannot_be_installed_is_said_before_anything_is() {
    let world = World::new();
    for (type_name, said) in [
        ("platform.nope", "there is no source type platform.nope"),
        (
            "platform.appfigures",
            "no Singer tap is known for platform.appfigures",
        ),
    ] {
        let refused = world.taps(&["install", "platform.tiny", type_name]);
        assert!(!refused.status.success());
        let error = text(&refused.stderr);
        assert!(error.contains(said), "{error}");
    }
    assert!(!world.path("data/taps/environments").exists());
}

#[test]
fn a_file_of_types_that_cannot_be_used_stops_every_command() {
    let world = World::new();
    std::fs::write(
        world.path("types.json"),
        r#"[{"type": "platform.github", "display_name": "x", "properties": [], "tap": {"command": ["/x"]}}]"#,
    )
    .unwrap();
    let refused = world.taps(&["list"]);
    assert!(!refused.status.success());
    let error = text(&refused.stderr);
    assert!(
        error.contains("taps.types") && error.contains("platform.github"),
        "{error}"
    );
}
