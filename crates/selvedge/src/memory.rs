//! Closes the server's memory, which holds the master key, to other processes.

/// Keeps other processes of the same user, taps above all, from reading this one's memory, environment and open files, and
/// the kernel from writing them into a core dump.
#[cfg(target_os = "linux")]
pub(crate) fn close() -> anyhow::Result<()> {
    use anyhow::Context as _;
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .context("the server's memory could not be closed to other processes")
}

/// Other systems keep the processes of a user apart in their own ways.
#[cfg(not(target_os = "linux"))]
pub(crate) fn close() -> anyhow::Result<()> {
    Ok(())
}
