//! What stands between the server and a tap: a small program that takes rights away from itself and then becomes the tap.
//!
//! Between fork and exec a process of many threads may do next to nothing, so nothing is done there: the server's own
//! binary is started a second time (`selvedge tap-launch`), which has one thread and all the time it needs.

#[cfg(target_os = "linux")]
mod confine;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod confine;
mod confinement;
#[cfg(target_os = "linux")]
mod privileges;

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

pub use confinement::{Confinement, confinement};

use crate::user::TapUser;

/// How taps are started.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// What is put in front of a tap's command line; empty for nothing.
    prefix: Vec<OsString>,
}

impl Launcher {
    /// Through `program` (the server's own binary), which knows `arguments` and then those of [`Launch::arguments`].
    pub fn new(program: PathBuf, arguments: &[&str]) -> Self {
        let mut prefix = vec![program.into_os_string()];
        prefix.extend(arguments.iter().map(OsString::from));
        Self { prefix }
    }

    /// Directly, without limits: a tap may do everything that the server may.
    pub fn none() -> Self {
        Self { prefix: Vec::new() }
    }

    /// The command line that starts `program` in this way.
    pub(crate) fn command(&self, launch: &Launch, program: &OsStr) -> Command {
        let Some((first, arguments)) = self.prefix.split_first() else {
            return Command::new(program);
        };
        let mut command = Command::new(first);
        command.args(arguments).args(launch.arguments());
        command.arg("--").arg(program);
        command
    }
}

/// What is done to a process before it becomes a tap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// The process that it is not to outlive: the one that starts it.
    pub parent: u32,
    /// Bytes of private memory.
    pub memory: Option<u64>,
    pub processor: Option<Duration>,
    /// Bytes of a written file.
    pub file_size: Option<u64>,
    pub open_files: Option<u64>,
    /// Whom it becomes; otherwise it stays who starts it.
    pub user: Option<TapUser>,
    /// Directories without any access.
    pub forbidden: Vec<PathBuf>,
    /// Directories inside of those with every access.
    pub writable: Vec<PathBuf>,
    /// Directories inside of those to read and execute from.
    pub readable: Vec<PathBuf>,
}

/// Why a tap was not started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("the server that started this tap has ended")]
    Orphaned,
    #[error("the tap's {0} could not be limited")]
    Limit(&'static str, #[source] std::io::Error),
    #[error("the tap could not be tied to the life of the server")]
    Parent(#[source] std::io::Error),
    #[error("the tap could not be kept from the server's privileges")]
    Privileges(#[source] std::io::Error),
    #[error("the tap could not become another user")]
    User(#[source] std::io::Error),
    #[error("the tap could not be kept from the server's files: {0}")]
    Files(String),
    #[error("the tap's program {program} could not be started: {error}")]
    Start {
        program: String,
        error: std::io::Error,
    },
}

impl Launch {
    /// As command line arguments: `--parent 12 --memory 1024 …`.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        let mut push = |name: &str, value: OsString| {
            arguments.push(OsString::from(name));
            arguments.push(value);
        };
        push("--parent", self.parent.to_string().into());
        let numbers = [
            ("--memory", self.memory),
            ("--processor", self.processor.map(|time| time.as_secs())),
            ("--file-size", self.file_size),
            ("--open-files", self.open_files),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                push(name, number.to_string().into());
            }
        }
        if let Some(user) = self.user {
            push("--user", user.to_string().into());
        }
        let directories = [
            ("--forbidden", &self.forbidden),
            ("--writable", &self.writable),
            ("--readable", &self.readable),
        ];
        for (name, paths) in directories {
            for path in paths {
                push(name, path.clone().into_os_string());
            }
        }
        arguments
    }

    /// Takes the rights away from this process, which has one thread, and becomes the program.
    ///
    /// # Errors
    /// Only returns when that was not possible.
    pub fn become_tap(
        &self,
        program: &OsStr,
        arguments: &[OsString],
    ) -> Result<Infallible, LaunchError> {
        confine::confine(self)?;
        let error = Command::new(program).args(arguments).exec();
        Err(LaunchError::Start {
            program: program.display().to_string(),
            error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_is_told_by_its_arguments() {
        let launch = Launch {
            parent: 7,
            memory: Some(1024),
            processor: Some(Duration::from_secs(60)),
            user: Some(TapUser { uid: 5, gid: 6 }),
            forbidden: vec!["/data".into()],
            readable: vec!["/data/a b".into()],
            ..Launch::default()
        };
        let expected =
            "--parent 7 --memory 1024 --processor 60 --user 5:6 --forbidden /data --readable";
        let mut expected: Vec<_> = expected.split(' ').collect();
        expected.push("/data/a b");
        assert_eq!(launch.arguments(), expected);
        let launcher = Launcher::new("/bin/selvedge".into(), &["tap-launch"]);
        let command = launcher.command(&launch, OsStr::new("tap-x"));
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments.first().copied(), Some(OsStr::new("tap-launch")));
        assert_eq!(arguments[arguments.len() - 2..], ["--", "tap-x"]);
    }
}
