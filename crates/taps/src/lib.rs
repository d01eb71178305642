//! Which program serves a source type as a Singer tap, with which settings, and the environment it runs in.
//!
//! [`Taps`] answers all three. Behind it:
//!
//! - [`Package`]s of the Python package index that serve types of the catalogue, and the locks of those that are tested
//!   ([`package`], [`lock`]).
//! - [`Environments`]: a virtual environment for each package, made with `uv` or with `venv` and pip.
//! - [`OwnTypes`]: source types that the operator adds, and the programs behind them.
//! - [`Mapping`]: how the properties of a connection become the configuration of a tap; [`demands`]: what taps insist on in
//!   it; [`GivenSettings`]: what the operator adds.

mod demands;
mod environment;
mod given;
mod lock;
mod mapping;
mod own;
mod package;
mod taps;

pub use environment::{Environment, Environments, InstallError, Installer, Python};
pub use given::GivenSettings;
pub use lock::Lock;
pub use mapping::{Mapping, MappingError, TapConfiguration};
pub use own::{OwnTypes, OwnTypesError};
pub use package::{BadPackageError, Package};
pub use taps::{Command, ProgramError, Settings, Taps};
