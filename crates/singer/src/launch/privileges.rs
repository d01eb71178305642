//! Privileges that a server has which runs as root, or was given some (`capabilities(7)`). A tap gets none of those that
//! reach around other limits: into the memory of processes, the kernel, and raw disks.

use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::LaunchError;
use crate::user::TapUser;

const REMOVED: CapabilitySet = CapabilitySet::SYS_PTRACE
    .union(CapabilitySet::PERFMON)
    .union(CapabilitySet::BPF)
    .union(CapabilitySet::CHECKPOINT_RESTORE)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::SYS_MODULE)
    .union(CapabilitySet::SYS_RAWIO)
    .union(CapabilitySet::SYS_BOOT)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SYSLOG)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::SYS_RESOURCE)
    .union(CapabilitySet::SETPCAP);

/// For good: user and group are set in all their forms, no other group stays, and root's capabilities go with root.
pub(super) fn become_user(user: TapUser) -> Result<(), LaunchError> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&[])
        .and_then(|()| set_thread_res_gid(gid, gid, gid))
        .and_then(|()| set_thread_res_uid(uid, uid, uid))
        .map_err(|error| LaunchError::User(error.into()))
}

/// From the next exec on, which gives root no others than those that are left.
pub(super) fn remove() -> Result<(), LaunchError> {
    match clear_ambient_capability_set() {
        // Kernels before 4.3 have no such set.
        Ok(()) | Err(Errno::INVAL) => {}
        Err(error) => return Err(LaunchError::Privileges(error.into())),
    }
    // Who is not root gets nothing by exec, and may not remove anything either.
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    for capability in REMOVED.iter() {
        // A kernel that does not know it does not give it.
        if let Ok(true) = capability_is_in_bounding_set(capability) {
            remove_capability_from_bounding_set(capability)
                .map_err(|error| LaunchError::Privileges(error.into()))?;
        }
    }
    Ok(())
}
