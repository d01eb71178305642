//! The user that taps run as, where that is not the server's own.
//!
//! Only root can start programs as somebody else. What that gives is older and simpler than Landlock: files of the server
//! that only their owner reads are closed to taps, and so are its processes.

mod way;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use way::Barred;

/// A user with its first group; a tap belongs to no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapUser {
    pub uid: u32,
    pub gid: u32,
}

/// Why taps cannot run as a user.
#[derive(Debug, thiserror::Error)]
pub enum TapUserError {
    #[error("there is no user {0:?}")]
    Unknown(String),
    #[error("the user {0:?} could not be looked up")]
    Lookup(String, #[source] std::io::Error),
    #[error("taps are to run as a user without rights of its own, and {0:?} is root")]
    Root(String),
    #[error("only a server that runs as root can start taps as another user")]
    NotRoot,
    #[error("taps can run as another user on Linux only")]
    NotHere,
    #[error("the user of taps cannot enter {}, which leads to {}", .closed.display(), .wanted.display())]
    Closed { closed: PathBuf, wanted: PathBuf },
    #[error("{} could not be looked at", .path.display())]
    Look {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl TapUser {
    /// The user of a name, or of a number. A number without an account is its own group, as in containers.
    ///
    /// # Errors
    /// There is no such user, or it is root.
    pub fn find(name: &str) -> Result<Self, TapUserError> {
        use nix::unistd::{Uid, User};
        let number = name.parse::<u32>().ok();
        let found = match number {
            Some(uid) => User::from_uid(Uid::from_raw(uid)),
            None => User::from_name(name),
        };
        let found = found.map_err(|error| TapUserError::Lookup(name.to_owned(), error.into()))?;
        let user = match (found, number) {
            (Some(user), _) => Self {
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
            },
            (None, Some(uid)) => Self { uid, gid: uid },
            (None, None) => return Err(TapUserError::Unknown(name.to_owned())),
        };
        if user.uid == 0 || user.gid == 0 {
            return Err(TapUserError::Root(name.to_owned()));
        }
        Ok(user)
    }

    /// Whether this process can start taps as the user, from programs and files below `directory`.
    ///
    /// # Errors
    /// It cannot; a sentence says why.
    pub fn check(&self, directory: &Path) -> Result<(), TapUserError> {
        if !cfg!(target_os = "linux") {
            return Err(TapUserError::NotHere);
        }
        if !rustix::process::geteuid().is_root() {
            return Err(TapUserError::NotRoot);
        }
        for path in directory.ancestors().filter(|path| path.has_root()) {
            let metadata = path.metadata().map_err(|source| TapUserError::Look {
                path: path.to_owned(),
                source,
            })?;
            if !self.has(&metadata, 0o1) {
                return Err(TapUserError::Closed {
                    closed: path.to_owned(),
                    wanted: directory.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// `uid:gid`, as [`TapUser`] is read.
impl fmt::Display for TapUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.uid, self.gid)
    }
}

impl FromStr for TapUser {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = "a user is uid:gid, in numbers";
        let (uid, gid) = text.split_once(':').ok_or(refused)?;
        let number = |text: &str| text.parse().map_err(|_| refused);
        Ok(Self {
            uid: number(uid)?,
            gid: number(gid)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let number = TapUser::find("54321").unwrap();
        assert_eq!(number.to_string(), "54321:54321");
        assert_eq!("54321:54321".parse(), Ok(number));
        assert!(matches!(TapUser::find("root"), Err(TapUserError::Root(_))));
        assert!(matches!(TapUser::find("0"), Err(TapUserError::Root(_))));
        let unknown = TapUser::find("no-such-user-here");
        assert!(matches!(unknown, Err(TapUserError::Unknown(_))));
        assert!("54321".parse::<TapUser>().is_err());
    }

    #[test]
    fn a_directory_that_the_user_cannot_reach_is_named() {
        let root = tempfile::tempdir().unwrap();
        let wanted = root.path().join("closed/in");
        std::fs::create_dir_all(&wanted).unwrap();
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(root.path(), 0o711);
        mode(&root.path().join("closed"), 0o700);
        let user = TapUser {
            uid: 54_321,
            gid: 54_321,
        };
        let checked = user.check(&wanted);
        if !rustix::process::geteuid().is_root() {
            assert!(matches!(checked, Err(TapUserError::NotRoot)));
            return;
        }
        let said = checked.unwrap_err().to_string();
        assert!(said.contains("/closed, which leads to "), "{said}");
        mode(&root.path().join("closed"), 0o711);
        user.check(&wanted).unwrap();
    }
}
