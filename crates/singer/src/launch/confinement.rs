//! What is guaranteed on this machine, for documents and for whoever asks.

use std::fmt;

/// What keeps taps in their place here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// Taps cannot reach the server's data directory, nor each other's files and processes.
    pub files: bool,
    /// Taps cannot send signals to the server and to each other.
    pub signals: bool,
    /// A tap dies with the server, however that ends.
    pub dies_with_the_server: bool,
    /// Processes that a tap leaves behind are found wherever they went.
    pub finds_all_processes: bool,
}

/// Asks the kernel, changing nothing.
pub fn confinement() -> Confinement {
    let linux = cfg!(target_os = "linux");
    let (files, signals) = landlock();
    Confinement {
        files,
        signals,
        dies_with_the_server: linux,
        finds_all_processes: linux && std::path::Path::new("/proc/self/environ").exists(),
    }
}

#[cfg(target_os = "linux")]
fn landlock() -> (bool, bool) {
    use landlock::{
        ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, Scope,
    };
    let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let files = strict()
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create);
    let signals = strict().scope(Scope::Signal).and_then(Ruleset::create);
    (files.is_ok(), signals.is_ok())
}

#[cfg(not(target_os = "linux"))]
fn landlock() -> (bool, bool) {
    (false, false)
}

impl fmt::Display for Confinement {
    /// A sentence a line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences = [
            match self.files {
                true => {
                    "Taps cannot open the server's data directory, nor each other's files (Landlock)."
                }
                false => {
                    "Taps can open what the server's user can open, the data directory too: this system has no Landlock."
                }
            },
            match self.signals {
                true => "Taps cannot send signals to the server or to each other.",
                false => "Taps can send signals to other processes of the server's user.",
            },
            match self.dies_with_the_server {
                true => "A tap dies with the server, however that ends.",
                false => "A tap outlives a server that is killed, until the next one starts.",
            },
            match self.finds_all_processes {
                true => "Processes that a tap leaves behind are ended with it.",
                false => {
                    "Processes that leave a tap's process group are not found: this system has no /proc."
                }
            },
            "Memory of a process, processor time and file sizes are limited. The network is open to taps.",
        ];
        formatter.write_str(&sentences.join("\n"))
    }
}
