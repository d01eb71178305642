//! `selvedge tap-launch`: what the server starts instead of a tap, and what then becomes the tap. Not for people.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use selvedge_singer::{Launch, LaunchError, TapUser};

/// The subcommand's name, for the `Launcher` of taps.
pub(crate) const NAME: &str = "tap-launch";

/// As shells count: the program was not found, or could not be started.
const NOT_FOUND: u8 = 127;
const NOT_STARTED: u8 = 126;

/// The same as [`Launch`], which says what they mean.
#[derive(Debug, Args)]
pub(crate) struct TapLaunchArguments {
    #[arg(long)]
    parent: u32,
    #[arg(long)]
    memory: Option<u64>,
    #[arg(long)]
    processor: Option<u64>,
    #[arg(long)]
    file_size: Option<u64>,
    #[arg(long)]
    open_files: Option<u64>,
    #[arg(long)]
    user: Option<TapUser>,
    #[arg(long)]
    forbidden: Vec<PathBuf>,
    #[arg(long)]
    writable: Vec<PathBuf>,
    #[arg(long)]
    readable: Vec<PathBuf>,
    #[arg(last = true, required = true)]
    program: Vec<OsString>,
}

/// Becomes the tap. Only returns when that failed; the reason is written as a tap would write it.
pub(crate) fn run(arguments: TapLaunchArguments) -> ExitCode {
    let TapLaunchArguments {
        parent,
        memory,
        processor,
        file_size,
        open_files,
        user,
        forbidden,
        writable,
        readable,
        program,
    } = arguments;
    let launch = Launch {
        parent,
        memory,
        processor: processor.map(Duration::from_secs),
        file_size,
        open_files,
        user,
        forbidden,
        writable,
        readable,
    };
    let Some((program, arguments)) = program.split_first() else {
        return ExitCode::from(NOT_FOUND);
    };
    match launch.become_tap(program, arguments) {
        Ok(never) => match never {},
        Err(error) => {
            let code = match &error {
                LaunchError::Start { error, .. }
                    if error.kind() == std::io::ErrorKind::NotFound =>
                {
                    NOT_FOUND
                }
                _ => NOT_STARTED,
            };
            eprintln!("CRITICAL {:#}", anyhow::Error::new(error));
            ExitCode::from(code)
        }
    }
}
