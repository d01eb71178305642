//! Which program a tap is.

use std::path::PathBuf;

/// A tap's program, without the arguments of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapProgram {
    pub program: PathBuf,
    /// Arguments before those of the Singer contract.
    pub arguments: Vec<String>,
    /// Directories that it must be able to read and execute from beside the system's own, its virtual environment above all.
    pub directories: Vec<PathBuf>,
    /// Takes its catalogue as `--properties` instead of `--catalog`.
    pub takes_properties: bool,
}
