//! The checkout, and Cargo in it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

/// The folder with the root `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The Cargo that runs us, started in the root.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Where `cargo build --release` puts a program.
pub(crate) fn release_binary(name: &str) -> PathBuf {
    binary("release", name)
}

/// Where `cargo build` and whatever builds tests put a program.
pub(crate) fn debug_binary(name: &str) -> PathBuf {
    binary("debug", name)
}

fn binary(profile: &str, name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(target).join(profile).join(name)
}

/// Says what is about to run.
pub(crate) fn announce(command: &Command) {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    let program = Path::new(&*words[0])
        .file_name()
        .map_or(words[0].clone(), |name| name.to_string_lossy());
    eprintln!("$ {program} {}", words[1..].join(" "));
}

/// A child's end as our own, the way a shell reports it.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
