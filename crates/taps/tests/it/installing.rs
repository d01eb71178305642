//! What an installation leaves behind, whatever happens to it.

use std::path::Path;
use std::process::Command;

use selvedge_taps::{InstallError, Package};

use crate::wheel::{GOOD, Wheel, World};

const TINY: Wheel = Wheel {
    name: "tap-tiny",
    module: GOOD,
    scripts: &["tap-tiny", "tap-tiny-tools"],
};

#[tokio::test]
async fn an_installed_tap_runs_and_is_found_again() {
    let world = World::new();
    let package = world.publish(&TINY);
    let environments = world.environments();
    assert!(environments.find(&package).unwrap().is_none());

    let installed = environments.install(&package).await.unwrap();
    let program = installed.program();
    let ran = Command::new(&program.program)
        .args(&program.arguments)
        .arg("--discover")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "read --discover\n");
    assert!(!program.takes_properties);
    assert!(
        program.directories.len() > 1,
        "its own, and that of its Python"
    );

    let found = world.environments().find(&package).unwrap().unwrap();
    assert_eq!(found.program(), program);
    assert!(found.is_current());
}

#[tokio::test]
async fn installing_again_changes_nothing_and_removing_leaves_nothing() {
    let world = World::new();
    let package = world.publish(&TINY);
    let environments = world.environments();
    let first = environments.install(&package).await.unwrap();
    let mark = first.root().join("mark");
    std::fs::write(&mark, "").unwrap();
    environments.install(&package).await.unwrap();
    assert!(mark.exists(), "it was made anew");

    assert!(environments.remove(&package).await.unwrap());
    assert!(!first.root().exists());
    assert!(environments.find(&package).unwrap().is_none());
    assert!(!environments.remove(&package).await.unwrap());
}

#[tokio::test]
async fn two_installers_at_once_make_one_environment() {
    let world = World::new();
    let package = world.publish(&TINY);
    let (first, second) = (world.environments(), world.environments());
    let (first, second) = tokio::join!(first.install(&package), second.install(&package));
    assert_eq!(first.unwrap().program(), second.unwrap().program());
}

#[tokio::test]
async fn what_an_interrupted_installation_left_behind_is_replaced() {
    let world = World::new();
    let package = world.publish(&TINY);
    let environments = world.environments();
    let rubbish = world.root().join("tap-tiny-1.0/bin");
    std::fs::create_dir_all(&rubbish).unwrap();
    std::fs::write(rubbish.join("python"), "half").unwrap();
    assert!(environments.find(&package).unwrap().is_none());
    let installed = environments.install(&package).await.unwrap();
    assert!(installed.program().program.exists());
}

#[tokio::test]
async fn a_package_that_is_not_there_leaves_nothing_behind() {
    let world = World::new();
    let package = Package::new("tap-missing", "9.9").unwrap();
    let error = world.environments().install(&package).await.unwrap_err();
    assert!(
        matches!(error, InstallError::NoSuchPackage { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("tap-missing==9.9"), "{error}");
    assert!(!world.root().join("tap-missing-9.9").exists());
}

#[tokio::test]
async fn python_that_is_missing_or_none_is_said() {
    let world = World::new();
    let package = world.publish(&TINY);
    let missing = world.environments_of(Path::new("/nowhere/python3"));
    let error = missing.install(&package).await.unwrap_err();
    assert!(
        matches!(error, InstallError::PythonMissing { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("taps.python"), "{error}");
    let other = world.environments_of(Path::new("/bin/false"));
    let error = other.install(&package).await.unwrap_err();
    assert!(
        matches!(error, InstallError::PythonUnusable { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_tap_that_does_not_start_is_not_installed() {
    let world = World::new();
    let package = world.publish(&Wheel {
        name: "tap-broken",
        module: "from collections import MutableMapping as gone\n",
        scripts: &["tap-broken"],
    });
    let error = world.environments().install(&package).await.unwrap_err();
    assert!(
        matches!(error, InstallError::DoesNotStart { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("MutableMapping"), "{error}");
    assert!(!world.root().join("tap-broken-1.0").exists());
}

#[tokio::test]
async fn candidates_are_named_where_no_program_is_the_right_one() {
    let world = World::new();
    let package = world.publish(&Wheel {
        name: "vendor-tap-two",
        module: GOOD,
        scripts: &["one", "two"],
    });
    let error = world.environments().install(&package).await.unwrap_err();
    assert!(error.to_string().contains("one, two"), "{error}");
}

#[tokio::test]
async fn taps_that_know_nothing_but_properties_are_noticed() {
    let world = World::new();
    let package = world.publish(&Wheel {
        name: "tap-old",
        module: "def main(args=None):\n    return args.properties if args else None\n",
        scripts: &["tap-old"],
    });
    let installed = world.environments().install(&package).await.unwrap();
    assert!(installed.program().takes_properties);
}
