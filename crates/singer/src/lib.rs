//! Any Singer tap is a source: its process, its files, and what it says.
//!
//! [`SingerTap`] runs a [`TapProgram`] with its files in a private directory, decodes what it writes ([`Decoder`]) and ends
//! all of it, whatever it does. [`Launcher`] says with which rights it runs.

mod catalog;
mod environment;
mod failure;
mod launch;
mod limits;
mod log;
mod message;
mod process;
mod program;
mod redact;
mod run_directory;
mod settings_file;
mod tap;
mod user;

pub use environment::TapEnvironment;
pub use launch::{Confinement, Launch, LaunchError, Launcher, confinement};
pub use limits::TapLimits;
pub use message::{Decoder, MessageLimits};
pub use program::TapProgram;
pub use redact::Redactor;
pub use run_directory::sweep_runs;
pub use settings_file::Mutable;
pub use tap::{SingerTap, TapHost, TapSettings};
pub use user::{Barred, TapUser, TapUserError};
