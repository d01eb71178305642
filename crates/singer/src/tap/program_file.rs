//! Finds the file of a tap's program, to say in good words when there is none.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use selvedge_connector::ConnectorError;

/// The file that a program's name stands for: a path as it is, a bare name in the directories of `path`.
pub(super) fn find(program: &Path, path: Option<&OsStr>) -> Result<PathBuf, ConnectorError> {
    let shown = program.display();
    if program.components().count() > 1 {
        return match check(program) {
            Ok(()) => Ok(program.to_owned()),
            Err(why) => Err(ConnectorError::configuration(format!(
                "the tap's program {shown} {why}"
            ))),
        };
    }
    let directories = std::env::split_paths(path.unwrap_or_default());
    let found = directories
        .map(|directory| directory.join(program))
        .find(|file| check(file).is_ok());
    found.ok_or_else(|| {
        ConnectorError::configuration(format!(
            "the tap's program {shown} is in none of the directories of PATH"
        ))
    })
}

fn check(file: &Path) -> Result<(), String> {
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err("does not exist".to_owned());
        }
        Err(error) => return Err(format!("cannot be used: {error}")),
    };
    if !metadata.is_file() {
        return Err("is no file".to_owned());
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err("is not executable".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_or_missed_with_a_reason() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().join("text");
        std::fs::write(&text, "").unwrap();
        let path = Some(OsStr::new("/nowhere:/bin:/usr/bin"));
        let message = |program: &Path| find(program, path).unwrap_err().message;
        assert!(find(Path::new("sh"), path).unwrap().ends_with("sh"));
        assert!(message(Path::new("no-such-tap")).contains("none of the directories"));
        assert!(message(&text).contains("is not executable"));
        assert!(message(&directory.path().join("gone")).contains("does not exist"));
        assert!(message(directory.path()).contains("is no file"));
    }
}
