//! The face of the crate: whether a type runs as a tap, which program that is, and what it is given to read.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use selvedge_catalog::{Catalog, OauthClients};
use selvedge_connector::{ConnectionConfig, ConnectorError, ErrorKind};
use selvedge_singer::TapProgram;
use serde::Deserialize;

use crate::own::OwnProgram;
use crate::{
    Environment, Environments, InstallError, Mapping, OwnTypes, Package, TapConfiguration,
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
        let clients = &self.settings.oauth_clients;
        if let Some(own) = self.settings.own_types.tap(type_name) {
            return own.mapping.apply(source, properties, clients);
        }
        let package = Package::of_type(type_name);
        let mapping = package.map(Mapping::of_package).cloned();
        let mapping = mapping.unwrap_or_default();
        let mut configuration = mapping.apply(source, properties, clients)?;
        let config = &mut configuration.config;
        config
            .entry("user_agent")
            .or_insert_with(|| USER_AGENT.into());
        Ok(configuration)
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

    #[test]
    fn taps_of_the_catalogue_get_what_no_user_is_asked_for() {
        let properties = ConnectionConfig::new([
            ("consumer_key".to_owned(), json!("k")),
            ("access_token".to_owned(), json!("t")),
        ]);
        let made = taps(json!({}))
            .configuration("platform.trello", &properties)
            .unwrap();
        assert_eq!(
            serde_json::Value::Object(made.config),
            json!({"api_key": "k", "api_token": "t", "user_agent": "Selvedge"})
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
