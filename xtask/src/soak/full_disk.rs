//! `cargo xtask soak --full-disk`: small file systems in memory, and the tests that fill them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::interrupts::Interrupts;
use crate::suite::{self, Runner};

/// Tells the tests where the file systems are.
const VARIABLE: &str = "SELVEDGE_FULL_DISK";

/// Name and size. What fits is a job with a few rows, what does not is one with many; between the two is the filler.
const DISKS: [(&str, &str); 4] = [
    ("sqlite", "256m"),
    ("postgres", "320m"),
    ("server", "24m"),
    ("intake", "64m"),
];

pub(super) fn run(arguments: &[String], interrupts: &Interrupts) -> Result<ExitCode> {
    let folder = tempfile::Builder::new()
        .prefix("selvedge-disks-")
        .tempdir()
        .context("there is no temporary folder")?;
    // The PostgreSQL server, another user, has to get through to its disk.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open)?;
    let mut mounts = Vec::new();
    for (name, size) in DISKS {
        mounts.push(Mount::new(folder.path().join(name), size, interrupts)?);
    }
    let mut command = suite::runner(Runner::Auto);
    command
        .args(["--package", "selvedge", "--test", "full_disk"])
        .args(arguments)
        .env(VARIABLE, folder.path());
    let ended = suite::run_with_server(&mut command, interrupts);
    drop(mounts);
    ended
}

/// A file system in memory, for as long as this lives.
struct Mount(PathBuf);

impl Mount {
    fn new(path: PathBuf, size: &str, interrupts: &Interrupts) -> Result<Self> {
        std::fs::create_dir(&path)?;
        let options = format!("size={size},mode=0755");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &options, "selvedge"]);
        let mounted = interrupts.run(command.arg(&path).stderr(Stdio::null()))?;
        ensure!(
            mounted.success(),
            "a file system could not be mounted on {}: run this as root (`sudo -E env \"PATH=$PATH\" cargo xtask soak \
             --full-disk`), in a container with the capability SYS_ADMIN",
            path.display()
        );
        Ok(Self(path))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let Self(path) = self;
        if let Err(error) = unmount(path) {
            eprintln!("{} is still mounted: {error:#}", path.display());
        }
    }
}

fn unmount(path: &Path) -> Result<()> {
    // Lazily: a server that a failed test left behind may still look at it.
    let status = Command::new("umount").arg("--lazy").arg(path).status()?;
    ensure!(status.success(), "umount failed ({status})");
    Ok(())
}
