//! `[taps]`: Singer taps, the environments they run in, what limits them, and the operator's own source types.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use selvedge_catalog::{Catalog, OauthClients};
use selvedge_singer::{TapEnvironment, TapLimits, TapUser};
use selvedge_taps::{Command, GivenSettings, OwnTypes, Package, Settings};
use serde::Deserialize;

const MIB: u64 = 1 << 20;

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TapsSection {
    /// Whether a job installs a tap that is missing. Otherwise it fails with the command to run.
    install_on_first_use: bool,
    /// The Python that environments are made with: a name to look for in `PATH`, or a path.
    python: PathBuf,
    /// Where environments are. [default: taps/environments in the data directory]
    directory: Option<PathBuf>,
    /// Whom taps run as, a name or a number, where the server is root. Needs `directory`, outside of the data directory.
    user: Option<String>,
    /// Names of environment variables that taps get beside the usual few, for example `HTTPS_PROXY`.
    environment: Vec<String>,
    /// `[taps.commands]`: programs of your own, by source type.
    commands: BTreeMap<String, Command>,
    /// `[taps.config]`: settings that the taps of a source type get beside what its sources say.
    config: GivenSettings,
    /// Files with source types of your own.
    types: Vec<PathBuf>,
    /// Memory of each process of a tap.
    memory_mb: u64,
    /// Processor time of each process of a tap. 0 is no limit, here and for memory, files and the time of a run.
    cpu_seconds: u64,
    /// Size of each file that a tap writes.
    file_mb: u64,
    /// Time in which a tap neither writes nor logs anything.
    idle_minutes: u64,
    /// Time of a run of a tap; `jobs.time_limit_minutes` counts too.
    time_limit_minutes: u64,
}

impl Default for TapsSection {
    fn default() -> Self {
        Self {
            install_on_first_use: false,
            python: PathBuf::from("python3"),
            directory: None,
            user: None,
            environment: Vec::new(),
            commands: BTreeMap::new(),
            config: GivenSettings::default(),
            types: Vec::new(),
            memory_mb: 4_096,
            cpu_seconds: 0,
            file_mb: 8_192,
            idle_minutes: 60,
            time_limit_minutes: 0,
        }
    }
}

/// Variables of the server itself: nobody's business, and installers run what strangers wrote.
const OURS: &str = "SELVEDGE_";

/// The section, checked.
#[derive(Clone, Debug)]
pub(crate) struct TapsSettings {
    section: TapsSection,
    directory: PathBuf,
    user: Option<TapUser>,
    own_types: OwnTypes,
}

impl TapsSettings {
    /// Checks the section and adds its source types to the catalogue, which nobody may have read before.
    pub(super) fn check(section: TapsSection, data_dir: &Path) -> anyhow::Result<Self> {
        let (types, own_types) = OwnTypes::read(&section.types).context("taps.types")?;
        if !types.is_empty() {
            Catalog::install(types).context("taps.types")?;
        }
        ensure!(
            section.idle_minutes > 0,
            "taps.idle_minutes must be at least 1"
        );
        for name in &section.environment {
            let is_name = !name.is_empty() && !name.contains(['=', '\0']);
            ensure!(
                is_name,
                "taps.environment: {name:?} is no name of a variable"
            );
            ensure!(
                !name.starts_with(OURS),
                "taps.environment: {name} belongs to the server, and taps must not see it"
            );
        }
        let commands = section.commands.keys().map(String::as_str);
        let named = commands.map(|name| ("commands", name));
        for (key, type_name) in named.chain(section.config.types().map(|name| ("config", name))) {
            let source = Catalog::global().source_type(type_name);
            let connectable = source.is_some_and(|source| source.is_scheduled());
            ensure!(
                connectable,
                "taps.{key}: {type_name:?} is no source type that a tap could serve"
            );
        }
        if let Some((type_name, key)) = section.config.date_without_quotes() {
            bail!("taps.config: {key} of {type_name:?} must be in quotes: taps read dates as text");
        }
        let user = section.user.as_deref().map(TapUser::find);
        let user = user.transpose().context("taps.user")?;
        ensure!(
            user.is_none() || section.directory.is_some(),
            "taps.user needs taps.directory, outside of the data directory, which that user does not get into"
        );
        let directory = section
            .directory
            .clone()
            .unwrap_or_else(|| data_dir.join("taps/environments"));
        // Installers work in other directories.
        let Ok(directory) = std::path::absolute(&directory) else {
            bail!("taps.directory is empty");
        };
        Ok(Self {
            section,
            directory,
            user,
            own_types,
        })
    }

    /// For [`selvedge_taps::Taps`].
    pub(crate) fn taps(&self, oauth_clients: OauthClients) -> Settings {
        Settings {
            directory: self.directory.clone(),
            python: self.section.python.clone(),
            install_on_first_use: self.section.install_on_first_use,
            commands: self.section.commands.clone(),
            own_types: self.own_types.clone(),
            given: self.section.config.clone(),
            oauth_clients,
            variables: for_installers(std::env::vars_os()),
        }
    }

    /// Whom taps run as, if not as the server.
    pub(crate) fn user(&self) -> Option<TapUser> {
        self.user
    }

    /// The variables that taps see.
    pub(crate) fn environment(&self) -> TapEnvironment {
        TapEnvironment::pick(std::env::vars_os(), &self.section.environment)
    }

    /// What one run of a tap may use.
    pub(crate) fn limits(&self) -> TapLimits {
        let some = |number: u64| (number > 0).then_some(number);
        let bytes = |mib| some(mib).map(|mib| mib.saturating_mul(MIB));
        let minutes = |number: u64| Duration::from_secs(number.saturating_mul(60));
        TapLimits {
            memory: bytes(self.section.memory_mb),
            processor: some(self.section.cpu_seconds).map(Duration::from_secs),
            file_size: bytes(self.section.file_mb),
            idle: minutes(self.section.idle_minutes),
            total: some(self.section.time_limit_minutes).map(minutes),
            ..TapLimits::default()
        }
    }

    /// Every source type with a tap: those of the catalogue, then the operator's.
    pub(crate) fn types(&self) -> Vec<&'static str> {
        Catalog::global()
            .source_types()
            .map(|source| source.name())
            .filter(|name| {
                Package::of_type(name).is_some()
                    || self.section.commands.contains_key(*name)
                    || self.own_types.names().any(|own| own == *name)
            })
            .collect()
    }
}

fn for_installers(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    variables
        .filter(|(name, _)| !name.to_string_lossy().starts_with(OURS))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> anyhow::Result<TapsSettings> {
        TapsSettings::check(toml::from_str(text)?, Path::new("data"))
    }

    fn refused(text: &str) -> String {
        format!("{:#}", check(text).unwrap_err())
    }

    #[test]
    fn nothing_is_installed_by_itself_and_environments_are_in_the_data_directory() {
        let settings = check("").unwrap();
        let taps = settings.taps(OauthClients::default());
        assert!(!taps.install_on_first_use);
        assert!(taps.directory.is_absolute());
        assert!(taps.directory.ends_with("data/taps/environments"));
        let (limits, defaults) = (settings.limits(), TapLimits::default());
        assert_eq!(limits.idle, defaults.idle);
        assert_eq!(limits.memory, defaults.memory);
        assert_eq!(limits.file_size, defaults.file_size);
        assert_eq!((limits.processor, limits.total), (None, None));
        assert!(settings.types().contains(&"platform.github"));
    }

    #[test]
    fn programs_of_the_operator_are_for_types_that_taps_could_serve() {
        let settings = check(
            "[commands]\n\"platform.appfigures\" = { command = [\"/opt/tap/bin/tap\", \"-v\"], properties = true }\n",
        )
        .unwrap();
        let taps = settings.taps(OauthClients::default());
        assert!(taps.commands["platform.appfigures"].takes_properties());
        assert!(settings.types().contains(&"platform.appfigures"));
        for (text, named) in [
            (
                "[commands]\n\"platform.nope\" = { command = [\"/x\"] }\n",
                "platform.nope",
            ),
            (
                "[commands]\n\"import_api\" = { command = [\"/x\"] }\n",
                "import_api",
            ),
            (
                "[commands]\n\"platform.github\" = { command = [\"tap\"] }\n",
                "whole path",
            ),
            (
                "[commands]\n\"platform.github\" = { program = \"/x\" }\n",
                "program",
            ),
        ] {
            let said = refused(text);
            assert!(said.contains(named), "{said}");
        }
    }

    #[test]
    fn settings_of_taps_are_given_by_type() {
        let settings = check(
            "[config.\"platform.ms-teams\"]\nrefresh_token = \"secret\"\nlimits = { pages = 2 }\n",
        )
        .unwrap();
        let given = settings.taps(OauthClients::default()).given;
        assert!(given.types().eq(["platform.ms-teams"]));
        assert!(!format!("{settings:?}").contains("secret"));
        let said = refused("[config.\"platform.nope\"]\na = 1\n");
        assert!(said.contains("taps.config: \"platform.nope\""), "{said}");
        let said = refused("[config.\"platform.github\"]\nstart_date = 2024-01-01\n");
        assert!(
            said.contains("start_date") && said.contains("quotes"),
            "{said}"
        );
    }

    #[test]
    fn typing_errors_and_secrets_of_the_server_are_refused() {
        assert!(refused("memory_gb = 1\n").contains("memory_gb"));
        assert!(
            refused("environment = [\"SELVEDGE_MASTER_KEY\"]\n").contains("belongs to the server")
        );
        assert!(refused("environment = [\"A=B\"]\n").contains("A=B"));
        assert!(refused("user = \"root\"\n").contains("root"));
        assert!(refused("user = \"12345\"\n").contains("taps.user needs taps.directory"));
        assert!(refused("types = [\"/nowhere/types.json\"]\n").contains("/nowhere/types.json"));
    }

    #[test]
    fn installers_do_not_see_what_belongs_to_the_server() {
        let variables = [("SELVEDGE_MASTER_KEY", "x"), ("PATH", "/bin")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        assert_eq!(
            for_installers(variables.into_iter()),
            [("PATH".into(), "/bin".into())]
        );
    }
}
