//! One measured copy by each contestant, and the check that it is right.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::bench::dataset::Dataset;
use crate::bench::layout::{Fidelity, Layout};
use crate::bench::measure::{Usage, measured};
use crate::bench::psql::{self, Psql};
use crate::interrupts::Interrupts;
use crate::postgres::{Programs, Server};

/// Who copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contestant {
    /// `selvedge sync`.
    Ours,
    /// `psql | psql`, making the same columns as we do.
    SamePipe,
    /// `psql | psql`, the source's columns as they are.
    BarePipe,
}

impl Contestant {
    pub(crate) const ALL: [Contestant; 3] =
        [Contestant::Ours, Contestant::SamePipe, Contestant::BarePipe];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Contestant::Ours => "selvedge",
            Contestant::SamePipe => "pipe, same columns",
            Contestant::BarePipe => "pipe, bare",
        }
    }
}

/// The servers, and what runs on them.
pub(crate) struct Arena<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) source: &'a Server,
    pub(crate) destination: &'a Server,
    pub(crate) interrupts: &'a Interrupts,
    /// The `selvedge` that is measured.
    pub(crate) binary: &'a Path,
    /// For files of ours.
    pub(crate) folder: &'a Path,
}

/// The destination database; made anew for every copy.
const DATABASE: &str = "copy";

/// Exports and imports at the same time, then builds the key, as a first load has to as well.
const PIPE: &str = r#"set -o pipefail
$PSQL --dbname "$SOURCE" --command "$EXPORT" | $PSQL --dbname "$DESTINATION" --command "$IMPORT" &&
$PSQL --dbname "$DESTINATION" --command "$KEY""#;

impl Arena<'_> {
    /// Makes the source table.
    pub(crate) fn fill(&self, dataset: &Dataset) -> Result<()> {
        let url = self.source.url("postgres");
        self.psql(&url).query(&dataset.statements())?;
        Ok(())
    }

    /// Copies once and verifies the copy. `layout` is what the same-columns pipe has to produce; our own copy sets it.
    pub(crate) fn copy(
        &self,
        contestant: Contestant,
        dataset: &Dataset,
        fidelity: Fidelity,
        layout: &mut Option<Layout>,
    ) -> Result<Usage> {
        let (source, admin) = (
            self.source.url("postgres"),
            self.destination.url("postgres"),
        );
        let target = self.destination.url(DATABASE);
        let (source_psql, target_psql) = (self.psql(&source), self.psql(&target));
        self.psql(&admin)
            .query(&format!("drop database if exists {DATABASE} with (force)"))?;
        self.psql(&admin)
            .query(&format!("create database {DATABASE}"))?;
        let produced = match contestant {
            Contestant::Ours => None,
            Contestant::SamePipe => Some(
                layout
                    .clone()
                    .context("our own copy comes first and says which columns there are")?,
            ),
            Contestant::BarePipe => Some(Layout::read(source_psql, dataset.name)?),
        };
        if let Some(layout) = &produced {
            target_psql.query(&layout.create(dataset.name))?;
        }
        // Neither pays for what was written before.
        for url in [&source, &admin] {
            self.psql(url).query("checkpoint")?;
        }
        let command = match &produced {
            None => self.ours(&source, &target, dataset, fidelity),
            Some(layout) => self.pipe(&source, &target, dataset, layout),
        };
        let usage = measured(&command, self.folder, self.interrupts)
            .with_context(|| format!("{} of {}", contestant.name(), dataset.name))?;

        let table = match contestant {
            Contestant::Ours => find_table(target_psql, dataset)?,
            Contestant::SamePipe | Contestant::BarePipe => dataset.name.to_owned(),
        };
        let result = Layout::read(target_psql, &table)?;
        let missing = result.missing(dataset);
        ensure!(
            missing.is_empty(),
            "{} left out the columns {missing:?} of {}",
            contestant.name(),
            dataset.name
        );
        let expected = source_psql.value(&result.checksum(dataset.name))?;
        let found = target_psql.value(&result.checksum(&table))?;
        ensure!(
            expected == found,
            "{} copied {} wrongly: rows and checksum are {found} instead of {expected}",
            contestant.name(),
            dataset.name
        );
        let key = target_psql.value(&format!(
            "select count(*) from pg_index where indrelid = '{table}'::regclass and indisprimary and indisvalid"
        ))?;
        ensure!(
            key == "1",
            "{} left {table} without its primary key",
            contestant.name()
        );
        if contestant == Contestant::Ours {
            *layout = Some(result);
        }
        Ok(usage)
    }

    /// The servers' version.
    pub(crate) fn version(&self) -> Result<String> {
        let url = self.source.url("postgres");
        self.psql(&url).value("show server_version")
    }

    /// The present as `20310203T040506Z`.
    pub(crate) fn now(&self) -> Result<String> {
        let url = self.source.url("postgres");
        self.psql(&url)
            .value(r#"select to_char(now(), 'YYYYMMDD"T"HH24MISS"Z"')"#)
    }

    fn psql<'b>(&'b self, url: &'b str) -> Psql<'b> {
        Psql {
            programs: self.programs,
            interrupts: self.interrupts,
            url,
        }
    }

    fn ours(&self, source: &str, target: &str, dataset: &Dataset, fidelity: Fidelity) -> Command {
        let mut command = Command::new(self.binary);
        command
            .args(["sync", "--source", source, "--destination", target])
            .args(["--streams", dataset.name, "--method", "full"])
            .args(["--fidelity", fidelity.name()]);
        command
    }

    fn pipe(&self, source: &str, target: &str, dataset: &Dataset, layout: &Layout) -> Command {
        let psql = psql::command(self.programs);
        let words: Vec<_> = std::iter::once(psql.get_program())
            .chain(psql.get_args())
            .map(|word| word.to_string_lossy())
            .collect();
        let mut command = Command::new("bash");
        for (name, value) in psql.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let (name, select) = (dataset.name, layout.select(dataset));
        command
            .args(["-c", PIPE])
            .env("PSQL", words.join(" "))
            .env("SOURCE", source)
            .env("DESTINATION", target)
            .env(
                "EXPORT",
                format!("copy ({select}) to stdout (format binary)"),
            )
            .env("IMPORT", format!("copy {name} from stdin (format binary)"))
            .env("KEY", format!("alter table {name} add primary key (id)"));
        command
    }
}

/// The table that we made, wherever it is.
fn find_table(psql: Psql<'_>, dataset: &Dataset) -> Result<String> {
    let name = dataset.name;
    let found = psql.value(&format!(
        "select format('%I.%I', schemaname, tablename) from pg_tables where tablename = '{name}'"
    ))?;
    ensure!(
        !found.is_empty() && !found.contains('\n'),
        "there should be one table {name} in the destination; found: {found:?}"
    );
    Ok(found)
}
