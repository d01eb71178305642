//! Taking rights away where there is no Linux: resource limits only.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Launch, LaunchError};

pub(super) fn confine(launch: &Launch) -> Result<(), LaunchError> {
    if launch.user.is_some() {
        return Err(LaunchError::User(std::io::ErrorKind::Unsupported.into()));
    }
    let processor = launch.processor.map(|time| time.as_secs().max(1));
    for (name, resource, value) in [
        ("core dumps", Resource::Core, Some(0)),
        ("file size", Resource::Fsize, launch.file_size),
        ("open files", Resource::Nofile, launch.open_files),
        ("processor time", Resource::Cpu, processor),
        ("memory", Resource::Data, launch.memory),
    ] {
        let Some(value) = value else {
            continue;
        };
        let hard = getrlimit(resource).maximum;
        let value = Some(hard.map_or(value, |hard| value.min(hard)));
        let limit = Rlimit {
            current: value,
            maximum: value,
        };
        setrlimit(resource, limit).map_err(|error| LaunchError::Limit(name, error.into()))?;
    }
    Ok(())
}
