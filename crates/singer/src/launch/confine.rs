//! Taking rights away, on Linux: the life of the parent, resource limits, and the file system by Landlock
//! (<https://docs.kernel.org/userspace-api/landlock.html>).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, getppid, getrlimit, setrlimit};

use super::{Launch, LaunchError, privileges};

/// The newest rights of Landlock that are spoken of here; an older kernel handles those it knows.
pub(super) const NEWEST: ABI = ABI::V6;

pub(super) fn confine(launch: &Launch) -> Result<(), LaunchError> {
    limit("core dumps", Resource::Core, Some(0), 0)?;
    limit("file size", Resource::Fsize, launch.file_size, 0)?;
    limit("open files", Resource::Nofile, launch.open_files, 0)?;
    // The first signal lets it end in good order, the second comes some seconds later.
    let processor = launch.processor.map(|time| time.as_secs().max(1));
    limit("processor time", Resource::Cpu, processor, 5)?;
    privileges::remove()?;
    // Landlock asks for it too, where it is there.
    rustix::thread::set_no_new_privs(true)
        .map_err(|error| LaunchError::Privileges(error.into()))?;
    restrict_files(launch)?;
    if let Some(user) = launch.user {
        privileges::become_user(user)?;
    }
    // Who becomes another user is not told of the parent's end any more.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| LaunchError::Parent(error.into()))?;
    // It may have died before it was asked to tell.
    let parent = getppid().map(Pid::as_raw_nonzero);
    if parent.and_then(|id| u32::try_from(id.get()).ok()) != Some(launch.parent) {
        return Err(LaunchError::Orphaned);
    }
    // Last: what is done here needs little memory, but some.
    limit("memory", Resource::Data, launch.memory, 0)
}

/// Nobody may raise what is lower already.
fn limit(
    name: &'static str,
    resource: Resource,
    value: Option<u64>,
    above: u64,
) -> Result<(), LaunchError> {
    let Some(value) = value else {
        return Ok(());
    };
    let hard = getrlimit(resource).maximum;
    let capped = |value: u64| Some(hard.map_or(value, |hard| value.min(hard)));
    let limit = Rlimit {
        current: capped(value),
        maximum: capped(value + above),
    };
    setrlimit(resource, limit).map_err(|error| LaunchError::Limit(name, error.into()))
}

/// Landlock only gives rights, so the forbidden directories are left out: everything beside the way to them is given.
/// What kernels without Landlock cannot do is left undone ([`super::confinement`] says so).
fn restrict_files(launch: &Launch) -> Result<(), LaunchError> {
    if launch.forbidden.is_empty() {
        return Ok(());
    }
    let failed = |error: RulesetError| LaunchError::Files(error.to_string());
    let forbidden = resolved(&launch.forbidden);
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|ruleset| ruleset.scope(Scope::Signal))
        .and_then(Ruleset::create);
    let mut rules = ruleset.map_err(failed)?;
    rules = allow_beside(rules, Path::new("/"), &forbidden, Rights::All)?;
    let given = [
        (&launch.writable, Rights::All),
        (&launch.readable, Rights::Read),
    ];
    for (paths, rights) in given {
        for path in resolved(paths) {
            // What is given inside of a forbidden directory opens it there, but not the forbidden ones inside of itself.
            let below = forbidden.iter().filter(|one| one.starts_with(&path));
            let below: Vec<PathBuf> = below.cloned().collect();
            rules = allow_beside(rules, &path, &below, rights)?;
        }
    }
    rules.restrict_self().map_err(failed)?;
    Ok(())
}

#[derive(Clone, Copy)]
enum Rights {
    All,
    Read,
}

/// Gives rights in a directory, but for the forbidden ones in it and the directories that lead there: those are passed
/// through, not listed.
fn allow_beside(
    mut rules: RulesetCreated,
    directory: &Path,
    forbidden: &[PathBuf],
    rights: Rights,
) -> Result<RulesetCreated, LaunchError> {
    if forbidden.iter().any(|path| path == directory) {
        return Ok(rules);
    }
    if !forbidden.iter().any(|path| path.starts_with(directory)) {
        return allow(rules, directory, rights);
    }
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        // Who may not list it has no rights to give there.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(rules),
        Err(error) => return Err(unreadable(directory, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let kind = entry.file_type();
        // A link's target gets its rights where it stands; through a link a forbidden directory could come back.
        if kind.is_ok_and(|kind| !kind.is_symlink()) {
            rules = allow_beside(rules, &entry.path(), forbidden, rights)?;
        }
    }
    Ok(rules)
}

fn allow(
    rules: RulesetCreated,
    path: &Path,
    rights: Rights,
) -> Result<RulesetCreated, LaunchError> {
    // What is gone meanwhile, or closed to us, needs no rights.
    let Ok(opened) = PathFd::new(path) else {
        return Ok(rules);
    };
    let is_directory = fs::metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let mut access = match rights {
        Rights::All => AccessFs::from_all(NEWEST),
        Rights::Read => AccessFs::from_read(NEWEST),
    };
    if !is_directory {
        access &= AccessFs::from_file(NEWEST);
    }
    let added = rules.add_rule(PathBeneath::new(opened, access));
    added.map_err(|error: RulesetError| LaunchError::Files(error.to_string()))
}

/// Without links. A directory that does not exist yet is named by the one that it is to be in.
fn resolved(paths: &[PathBuf]) -> Vec<PathBuf> {
    let resolve = |path: &PathBuf| match path.canonicalize() {
        Ok(path) => path,
        Err(_) => match (path.parent().map(Path::canonicalize), path.file_name()) {
            (Some(Ok(parent)), Some(name)) => parent.join(name),
            _ => path.clone(),
        },
    };
    paths.iter().map(resolve).collect()
}

fn unreadable(directory: &Path, error: &io::Error) -> LaunchError {
    LaunchError::Files(format!(
        "{} could not be read: {error}",
        directory.display()
    ))
}
