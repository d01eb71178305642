//! `selvedge taps list`: types with a tap, and what is there of it.

use std::process::ExitCode;

use selvedge_connectors::Registry;
use selvedge_taps::Lock;
use serde::Serialize;

use super::Desk;
use crate::table;

#[derive(Serialize)]
struct Row {
    #[serde(rename = "type")]
    type_name: &'static str,
    /// Null where the operator's own program runs.
    package: Option<String>,
    version: Option<String>,
    installed: bool,
    /// Whether it would be installed from a lock with hashes.
    locked: bool,
    /// Installed, and as it would be installed today.
    current: bool,
    /// A connector of the server reads this type: the tap is not used.
    native: bool,
}

impl Row {
    fn state(&self) -> &'static str {
        match (&self.package, self.installed, self.current) {
            (None, ..) => "your own program",
            (_, false, _) => "",
            (_, true, false) => "installed, outdated",
            (_, true, true) => "installed",
        }
    }
}

pub(super) fn run(desk: &Desk, all: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    for type_name in desk.settings.types() {
        let row = row(desk, type_name)?;
        if all || row.installed {
            rows.push(row);
        }
    }
    if as_json {
        for row in rows {
            println!("{}", serde_json::to_string(&row)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        println!("no taps are installed; `selvedge taps list --all` names those that could be");
        return Ok(ExitCode::SUCCESS);
    }
    let cells = |row: &Row| {
        let flag = |set: bool| if set { "yes" } else { "" }.to_owned();
        vec![
            row.type_name.to_owned(),
            row.package.clone().unwrap_or_default(),
            row.version.clone().unwrap_or_default(),
            flag(row.locked),
            row.state().to_owned(),
            if row.native {
                "not used: the server reads it itself"
            } else {
                ""
            }
            .to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let headings = ["type", "package", "version", "locked", "state", ""];
    println!("{}", table::render(&headings, &rows));
    Ok(ExitCode::SUCCESS)
}

fn row(desk: &Desk, type_name: &'static str) -> anyhow::Result<Row> {
    let package = desk.taps.package(type_name);
    let environment = match package {
        Some(package) => desk.taps.environments().find(package)?,
        None => None,
    };
    Ok(Row {
        type_name,
        package: package.map(|package| package.name().to_owned()),
        version: package.map(|package| package.version().to_owned()),
        installed: environment.is_some() || package.is_none(),
        locked: package.is_some_and(|package| Lock::of(package).is_some()),
        current: environment.is_none_or(|environment| environment.is_current()),
        native: Registry::runs_source(type_name),
    })
}
