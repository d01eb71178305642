//! `selvedge taps install`: one environment after the other; a failure does not keep the next from its turn.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use selvedge_catalog::Catalog;
use serde_json::json;

use super::Desk;

/// The types named on the command line, then those of the file; each once.
pub(super) fn wanted(types: Vec<String>, file: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let mut wanted = types;
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} could not be read", path.display()))?;
        let lines = text.lines();
        let named = lines.map(|line| line.split('#').next().unwrap_or_default().trim());
        wanted.extend(named.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    let mut seen = std::collections::BTreeSet::new();
    wanted.retain(|name| seen.insert(name.clone()));
    Ok(wanted)
}

pub(super) async fn run(desk: &Desk, types: &[String], as_json: bool) -> anyhow::Result<ExitCode> {
    // A typing error in the last name is no reason to install the others first.
    let wanted: Vec<_> = types
        .iter()
        .map(|name| Ok((name, desk.package(name)?)))
        .collect::<anyhow::Result<_>>()?;
    let mut failed = 0;
    for (type_name, package) in wanted {
        if !as_json {
            eprintln!("{type_name}: installing {package}");
        }
        let installed = desk.taps.environments().install(package).await;
        failed += usize::from(installed.is_err());
        let error = installed.as_ref().err().map(ToString::to_string);
        match installed {
            _ if as_json => println!(
                "{}",
                json!({
                    "type": type_name, "package": package.name(), "version": package.version(),
                    "installed": error.is_none(), "error": error,
                })
            ),
            Ok(environment) => println!(
                "{type_name}: {package} is installed, with Python {} by {}",
                environment.python(),
                environment.installer()
            ),
            Err(error) => eprintln!("error: {type_name}: {error}"),
        }
        warn(type_name);
        if let Some(lacking) = desk.taps.unsupplied(type_name) {
            eprintln!("note: {lacking}");
        }
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A tap for a type that runs without one is not what people expect.
fn warn(type_name: &str) {
    let source = Catalog::global().source_type(type_name);
    if source.is_some_and(|source| !source.has_access()) {
        eprintln!("note: sources of the type {type_name} cannot be created any more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_name_types_one_a_line_with_remarks() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("types.txt");
        std::fs::write(
            &path,
            "# ours\nplatform.b # second\n\n platform.a\nplatform.b\n",
        )
        .unwrap();
        let types = wanted(vec!["platform.a".to_owned()], Some(&path)).unwrap();
        assert_eq!(types, ["platform.a", "platform.b"]);
    }
}
