//! Singer taps for tests: environments that the binary itself makes, once, from the locks in the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::interrupts::Interrupts;
use crate::python;
use crate::workspace;

/// Names the directory of the environments; the tests of `selvedge` read it.
pub(crate) const VARIABLE: &str = "SELVEDGE_TEST_TAPS";

/// Below the workspace.
const ENVIRONMENTS: &str = "target/taps";
const TYPES: &str = "crates/selvedge/tests/taps/types.json";
const INSTALLED: &str = "crates/selvedge/tests/taps/installed.txt";
const LOCKS: &str = "crates/taps/locks";

/// Makes what is missing. `build` builds the tests without running them, and with them the binary.
pub(crate) fn provide(build: Command, interrupts: &Interrupts) -> Result<PathBuf> {
    let root = workspace::root().canonicalize()?;
    let environments = root.join(ENVIRONMENTS);
    // Written last, and made of everything that decides what is installed.
    let stamp = environments.join("made-of.txt");
    let wanted = wanted(&root)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(environments);
    }
    let mut build = build;
    let built = interrupts.run(&mut build)?;
    ensure!(built.success(), "the tests do not build ({built})");

    eprintln!("Taps: installing those of {INSTALLED} into {ENVIRONMENTS}");
    std::fs::create_dir_all(&environments)?;
    let settings = environments.join("selvedge.toml");
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    let text = format!(
        "[taps]\npython = {}\ndirectory = {}\ntypes = [{}]\n",
        quoted(python::base(interrupts)?),
        quoted(&environments),
        quoted(&root.join(TYPES)),
    );
    std::fs::write(&settings, text)?;
    let mut install = Command::new(workspace::debug_binary("selvedge"));
    install
        .args(["taps", "install", "--all-of"])
        .arg(root.join(INSTALLED))
        .arg("--config")
        .arg(&settings)
        .arg("--data-dir")
        .arg(&environments)
        .current_dir(&root);
    let installed = interrupts.run(&mut install)?;
    ensure!(
        installed.success(),
        "not every tap was installed ({installed}); it needs a package index (pip config)"
    );
    std::fs::write(&stamp, wanted)?;
    Ok(environments)
}

/// The lists and all locks, as one text.
fn wanted(root: &Path) -> Result<String> {
    let mut paths = vec![root.join(TYPES), root.join(INSTALLED)];
    for entry in std::fs::read_dir(root.join(LOCKS)).context(LOCKS)? {
        paths.push(entry?.path());
    }
    paths[2..].sort();
    let mut text = String::new();
    for path in paths {
        text += &std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    }
    Ok(text)
}
