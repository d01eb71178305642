//! The face of the crate: whether a type runs as a tap, which program that is, and what it is given to read.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use selvedge_catalog::{Catalog, ConnectionType, OauthClients};
use selvedge_connector::{ConnectionConfig, ConnectorError, ErrorKind};
use selvedge_singer::TapProgram;
use serde::Deserialize;

use crate::demands::Demands;
use crate::given::secrets_of;
use crate::own::OwnProgram;
use crate::{
    Environment, Environments, GivenSettings, InstallError, Mapping, OwnTypes, Package,
    TapConfiguration,
};

/// What the operator says about taps.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where environments are.
    pub directory: PathBuf,
    /// What makes them: a name to look for in `PATH`, or a path.
    pub python: PathBuf,
    /// Whether a job installs a tap that is missing.
    pub install_on_first_use: bool,
    /// Programs instead of packages, by type.
    pub commands: BTreeMap<String, Command>,
    pub own_types: OwnTypes,
    /// Settings that the operator gives to the taps of a type.
    pub given: GivenSettings,
    pub oauth_clients: OauthClients,
    /// The surroundings of installers.
    pub variables: Vec<(OsString, OsString)>,
}

/// A tap that the operator has installed himself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, try_from = "WrittenCommand")]
pub struct Command {
    program: PathBuf,
    arguments: Vec<String>,
    takes_properties: bool,
    directories: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCommand {
    /// The program by its whole path, and arguments before those of the Singer contract.
    command: Vec<String>,
    /// Takes its catalogue as `--properties`.
    #[serde(default)]
    properties: bool,
    /// What it must be able to read beside its own folder.
    #[serde(default)]
    directories: Vec<PathBuf>,
}

impl TryFrom<WrittenCommand> for Command {
    type Error = &'static str;

    fn try_from(written: WrittenCommand) -> Result<Self, Self::Error> {
        let mut words = written.command.into_iter();
        let program = words
            .next()
            .map(PathBuf::from)
            .filter(|program| program.is_absolute())
            .ok_or("a command starts with the whole path of a program")?;
        Ok(Self {
            program,
            arguments: words.collect(),
            takes_properties: written.properties,
            directories: written.directories,
        })
    }
}

impl Command {
    pub fn takes_properties(&self) -> bool {
        self.takes_properties
    }

    /// The program, which reads from its own folder (of a virtual environment: all of it) and from that of its Python.
    fn program(&self) -> TapProgram {
        let mut directories = self.directories.clone();
        if let Some(folder) = self.program.parent() {
            let is_bin = folder.file_name().is_some_and(|name| name == "bin");
            let own = folder.parent().filter(|_| is_bin).unwrap_or(folder);
            directories.push(own.to_owned());
            let python = folder.join("python").canonicalize().ok();
            let base = python.as_deref().and_then(Path::parent);
            directories.extend(base.and_then(Path::parent).map(Path::to_owned));
        }
        TapProgram {
            program: self.program.clone(),
            arguments: self.arguments.clone(),
            directories,
            takes_properties: self.takes_properties,
        }
    }
}

/// What taps of the catalogue call themselves. Many refuse to run without, and no type asks its users for it.
const USER_AGENT: &str = "Selvedge";

/// Why there is no program for a type.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error("no Singer tap is known for {type_name}")]
    NoTap { type_name: String },
    #[error(
        "the tap of {type_name} ({package}) is not installed: run `selvedge taps install {type_name}`"
    )]
    NotInstalled { type_name: String, package: Package },
    #[error("the program of {type_name}, {program:?}, is not there")]
    NoSuchProgram { type_name: String, program: PathBuf },
    #[error("the tap of {type_name} could not be installed: {source}")]
    Install {
        type_name: String,
        source: InstallError,
    },
}

impl From<ProgramError> for ConnectorError {
    fn from(error: ProgramError) -> Self {
        match error {
            // What installers say is for the operator.
            ProgramError::Install { type_name, source } => Self::new(
                ErrorKind::Internal,
                format!("the tap of {type_name} could not be installed"),
            )
            .with_detail(source.to_string()),
            other => Self::configuration(other.to_string()),
        }
    }
}

/// Everything about the taps of one server.
#[derive(Clone, Debug)]
pub struct Taps {
    settings: Settings,
    environments: Environments,
}

impl Taps {
    pub fn new(settings: Settings) -> Self {
        let environments = Environments::new(
            settings.directory.clone(),
            settings.python.clone(),
            settings.variables.iter().cloned(),
        );
        Self {
            settings,
            environments,
        }
    }

    /// Whether there is a tap for a source type, installed or not.
    pub fn serves(&self, type_name: &str) -> bool {
        self.command(type_name).is_some() || self.package(type_name).is_some()
    }

    /// The operator's own program for a type.
    pub fn command(&self, type_name: &str) -> Option<&Command> {
        let configured = self.settings.commands.get(type_name);
        configured.or_else(|| match &self.settings.own_types.tap(type_name)?.program {
            OwnProgram::Command(command) => Some(command),
            OwnProgram::Package(_) => None,
        })
    }

    /// The package for a type that has no program of the operator's.
    pub fn package(&self, type_name: &str) -> Option<&Package> {
        if self.command(type_name).is_some() {
            return None;
        }
        match self.settings.own_types.tap(type_name) {
            Some(tap) => match &tap.program {
                OwnProgram::Package(package) => Some(package),
                OwnProgram::Command(_) => None,
            },
            None => Package::of_type(type_name),
        }
    }

    pub fn environments(&self) -> &Environments {
        &self.environments
    }

    /// The program of a type; it is installed first where it is missing and that is allowed.
    ///
    /// # Errors
    /// There is none, or it is not installed, or could not be.
    pub async fn program(&self, type_name: &str) -> Result<TapProgram, ProgramError> {
        if let Some(command) = self.command(type_name) {
            if !command.program.exists() {
                return Err(ProgramError::NoSuchProgram {
                    type_name: type_name.to_owned(),
                    program: command.program.clone(),
                });
            }
            return Ok(command.program());
        }
        let Some(package) = self.package(type_name) else {
            return Err(ProgramError::NoTap {
                type_name: type_name.to_owned(),
            });
        };
        let failed = |source| ProgramError::Install {
            type_name: type_name.to_owned(),
            source,
        };
        // One of an older lock does until the operator installs it anew.
        if let Some(environment) = self.environments.find(package).map_err(failed)? {
            return Ok(environment.program());
        }
        if !self.settings.install_on_first_use {
            return Err(ProgramError::NotInstalled {
                type_name: type_name.to_owned(),
                package: package.clone(),
            });
        }
        let installed = self.environments.install(package).await;
        installed
            .map(|environment: Environment| environment.program())
            .map_err(failed)
    }

    /// What the tap of a connection is given to read.
    ///
    /// # Errors
    /// The type is unknown, or a property is not what the tap wants.
    pub fn configuration(
        &self,
        type_name: &str,
        properties: &ConnectionConfig,
    ) -> Result<TapConfiguration, ConnectorError> {
        let source = Catalog::global().source_type(type_name).ok_or_else(|| {
            ConnectorError::configuration(format!("there is no source type {type_name}"))
        })?;
        let mut configuration =
            self.mapping(type_name)
                .apply(source, properties, &self.settings.oauth_clients)?;
        if let Some(given) = self.settings.given.of_type(type_name) {
            secrets_of(given, &mut configuration.secrets);
        }
        if self.settings.own_types.tap(type_name).is_none() {
            let config = &mut configuration.config;
            config
                .entry("user_agent")
                .or_insert_with(|| USER_AGENT.into());
        }
        let demanded = self.demanded(type_name);
        let missing: Vec<&str> = demanded
            .filter(|key| !configuration.config.contains_key(*key))
            .collect();
        if missing.is_empty() {
            return Ok(configuration);
        }
        Err(ConnectorError::configuration(
            self.lacking(source, &missing),
        ))
    }

    /// What the tap of a type needs and no source of the type can say, as a sentence. `None` where there is no such thing, or
    /// the operator gives it.
    pub fn unsupplied(&self, type_name: &str) -> Option<String> {
        let source = Catalog::global().source_type(type_name)?;
        let mapping = self.mapping(type_name);
        let supplied = |key: &str| {
            let mut properties = source.properties();
            key == "user_agent"
                || mapping.supplies(key)
                || properties.any(|property| mapping.key(property.name()) == key)
        };
        let demanded = self.demanded(type_name);
        let missing: Vec<&str> = demanded.filter(|key| !supplied(key)).collect();
        (!missing.is_empty()).then(|| self.lacking(source, &missing))
    }

    /// With what the operator gives.
    fn mapping(&self, type_name: &str) -> Mapping {
        let mapping = match self.settings.own_types.tap(type_name) {
            Some(own) => own.mapping.clone(),
            None => Package::of_type(type_name)
                .map(Mapping::of_package)
                .cloned()
                .unwrap_or_default(),
        };
        match self.settings.given.of_type(type_name) {
            Some(given) => mapping.with(given),
            None => mapping,
        }
    }

    /// What the package of a type needs; nothing is known of the operator's own programs and types.
    fn demanded(&self, type_name: &str) -> impl Iterator<Item = &'static str> {
        let own = self.settings.own_types.tap(type_name).is_some();
        let package = self.package(type_name).filter(|_| !own);
        let demands = package.and_then(Demands::of_package);
        let type_name = type_name.to_owned();
        demands
            .into_iter()
            .flat_map(move |demands| demands.keys(&type_name).collect::<Vec<_>>())
    }

    fn lacking(&self, source: &ConnectionType, missing: &[&str]) -> String {
        let type_name = source.name();
        let package = self.package(type_name).map_or("its tap", Package::name);
        let mapping = self.mapping(type_name);
        let property_of = |key: &&str| {
            let mut properties = source.properties();
            let property = properties.find(|property| mapping.key(property.name()) == *key);
            property.map(|property| property.name())
        };
        let properties: Vec<&str> = missing.iter().filter_map(property_of).collect();
        if !properties.is_empty() {
            return format!(
                "{package}, which reads sources of the type {type_name}, needs the property {}",
                properties.join(" and ")
            );
        }
        format!(
            "{package}, which reads sources of the type {type_name}, needs {}, which is no property of them: \
             set it in [taps.config.\"{type_name}\"] in the server's configuration file",
            missing.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taps(commands: serde_json::Value) -> Taps {
        Taps::new(Settings {
            commands: serde_json::from_value(commands).unwrap(),
            ..Settings::default()
        })
    }

    #[tokio::test]
    async fn a_tap_that_is_not_installed_names_the_command_to_run() {
        let directory = tempfile::tempdir().unwrap();
        let taps = Taps::new(Settings {
            directory: directory.path().to_owned(),
            ..Settings::default()
        });
        assert!(taps.serves("platform.github") && !taps.serves("platform.appfigures"));
        let error = taps.program("platform.github").await.unwrap_err();
        let said = ConnectorError::from(error).message;
        assert!(
            said.contains("selvedge taps install platform.github"),
            "{said}"
        );
        let error = taps.program("platform.appfigures").await.unwrap_err();
        assert!(matches!(error, ProgramError::NoTap { .. }));
    }

    #[tokio::test]
    async fn the_command_of_the_operator_goes_before_the_package() {
        let taps = taps(json!({
            "platform.github": {"command": ["/bin/sh", "-e"], "properties": true, "directories": ["/srv/x"]},
            "platform.appfigures": {"command": ["/nowhere/bin/tap"]},
        }));
        let program = taps.program("platform.github").await.unwrap();
        assert_eq!(program.program, Path::new("/bin/sh"));
        assert_eq!(program.arguments, ["-e"]);
        assert!(program.takes_properties);
        assert!(program.directories.contains(&PathBuf::from("/srv/x")));
        assert_eq!(taps.package("platform.github"), None);
        assert!(taps.serves("platform.appfigures"));
        let error = taps.program("platform.appfigures").await.unwrap_err();
        assert!(matches!(error, ProgramError::NoSuchProgram { .. }));
    }

    fn connection(values: serde_json::Value) -> ConnectionConfig {
        ConnectionConfig::new(values.as_object().unwrap().clone())
    }

    #[test]
    fn a_key_that_no_property_says_is_asked_of_the_operator() {
        let said = taps(json!({})).unsupplied("platform.ms-teams").unwrap();
        assert!(
            said.contains("tap-ms-teams") && said.contains("needs refresh_token,"),
            "{said}"
        );
        let properties = connection(json!({
            "client_id": "i", "client_secret": "s", "tenant_id": "t", "start_date": "2024-01-01T00:00:00Z"
        }));
        let configure = |taps: Taps| taps.configuration("platform.ms-teams", &properties);
        let error = configure(taps(json!({}))).unwrap_err();
        assert_eq!(error.message, said);
        // Nothing is known of what a program of the operator's own needs.
        configure(taps(json!({"platform.ms-teams": {"command": ["/x"]}}))).unwrap();
        let given = json!({"platform.ms-teams": {"refresh_token": "r-12345", "user_agent": "we", "client_id": "other"}});
        let taps = Taps::new(Settings {
            given: serde_json::from_value(given).unwrap(),
            ..Settings::default()
        });
        assert_eq!(taps.unsupplied("platform.ms-teams"), None);
        let made = configure(taps).unwrap();
        assert_eq!(made.config["refresh_token"], "r-12345");
        assert_eq!(made.config["user_agent"], "we");
        // Who says it of a source knows better.
        assert_eq!(made.config["client_id"], "i");
        assert!(made.secrets.contains(&"r-12345".to_owned()));
    }

    #[test]
    fn a_property_that_only_the_tap_needs_is_named() {
        let error = taps(json!({}))
            .configuration("platform.mssql", &connection(json!({"host": "h"})))
            .unwrap_err();
        assert!(
            error.message.ends_with("needs the property database"),
            "{}",
            error.message
        );
    }

    #[test]
    fn taps_of_the_catalogue_get_what_no_user_is_asked_for() {
        let properties = connection(json!({
            "consumer_key": "k", "access_token": "t", "start_date": "2024-01-01T00:00:00Z"
        }));
        let made = taps(json!({}))
            .configuration("platform.trello", &properties)
            .unwrap();
        assert_eq!(
            serde_json::Value::Object(made.config),
            json!({
                "api_key": "k", "api_token": "t", "start_date": "2024-01-01T00:00:00Z", "user_agent": "Selvedge"
            })
        );
    }

    #[test]
    fn a_command_is_a_whole_path() {
        for command in [json!([]), json!(["tap-x"]), json!(["./tap-x"])] {
            let written = json!({ "command": command });
            assert!(serde_json::from_value::<Command>(written).is_err());
        }
    }
}
