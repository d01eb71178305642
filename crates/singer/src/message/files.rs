//! Records that a tap put into files beside its messages: what a BATCH message names.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rustix::fs::OFlags;
use serde_json::Value;

use super::envelope::Envelope;

/// The files of one BATCH message: JSON Lines, a record per line.
pub(super) struct BatchFiles {
    pub(super) stream: u32,
    paths: std::vec::IntoIter<PathBuf>,
    is_compressed: bool,
    /// Whose they must be: who can put files into the directory could also name those of others by a link in the way.
    owner: u32,
    open: Option<Box<dyn BufRead + Send>>,
}

impl BatchFiles {
    /// What a message names.
    ///
    /// # Errors
    /// The encoding is not JSON Lines, plain or gzip, or a file is not one below `directory`; a sentence.
    pub(super) fn named(
        envelope: &Envelope<'_>,
        stream: u32,
        directory: Option<&Path>,
    ) -> Result<Self, String> {
        let encoding = envelope.encoding.map(serde_json::from_str::<Value>);
        let Some(Ok(encoding)) = encoding else {
            return Err("a BATCH message has no encoding".to_owned());
        };
        let named = |key: &str| encoding.get(key).and_then(Value::as_str).unwrap_or("none");
        if named("format") != "jsonl" {
            let format = named("format");
            return Err(format!(
                "a BATCH message has files of the format {format}; only jsonl is read"
            ));
        }
        let is_compressed = match named("compression") {
            "none" => false,
            "gzip" => true,
            other => {
                return Err(format!(
                    "a BATCH message has files compressed with {other}; only gzip is read"
                ));
            }
        };
        let manifest = envelope.manifest.map(serde_json::from_str::<Vec<String>>);
        let Some(Ok(manifest)) = manifest else {
            return Err("a BATCH message has no list of files".to_owned());
        };
        let directory = directory.ok_or("BATCH messages are not taken here")?;
        let owner = std::fs::metadata(directory).map(|metadata| metadata.uid());
        let owner =
            owner.map_err(|error| format!("the tap's directory cannot be read: {error}"))?;
        let paths: Result<Vec<_>, _> = manifest.iter().map(|name| path(name, directory)).collect();
        Ok(Self {
            stream,
            paths: paths?.into_iter(),
            is_compressed,
            owner,
            open: None,
        })
    }

    /// Appends the next record, without its line's end. `false` behind the last.
    ///
    /// # Errors
    /// A file cannot be read, or a record has more than `most_bytes`; a sentence.
    pub(super) fn next_record(
        &mut self,
        most_bytes: usize,
        into: &mut Vec<u8>,
    ) -> Result<bool, String> {
        loop {
            let Some(file) = &mut self.open else {
                match self.paths.next() {
                    Some(path) => self.open = Some(self.open_file(&path)?),
                    None => return Ok(false),
                }
                continue;
            };
            let start = into.len();
            let read = file
                .take(most_bytes as u64 + 1)
                .read_until(b'\n', into)
                .map_err(|error| format!("a file of a BATCH message cannot be read: {error}"))?;
            if read == 0 {
                self.open = None;
                continue;
            }
            if into.last() == Some(&b'\n') {
                into.pop();
            } else if read > most_bytes {
                return Err(format!(
                    "a file of a BATCH message has a line of more than {most_bytes} bytes"
                ));
            }
            if into[start..].iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Ok(true);
            }
            into.truncate(start);
        }
    }

    fn open_file(&self, path: &Path) -> Result<Box<dyn BufRead + Send>, String> {
        // A pipe would be waited for, and a link put there meanwhile may lead anywhere.
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(path);
        let file = opened.map_err(|error| {
            format!(
                "the file {} of a BATCH message cannot be opened: {error}",
                path.display()
            )
        })?;
        let metadata = file.metadata();
        if !metadata.as_ref().is_ok_and(|metadata| metadata.is_file()) {
            return Err(format!("{} of a BATCH message is no file", path.display()));
        }
        if !metadata.is_ok_and(|metadata| metadata.uid() == self.owner) {
            return Err(format!(
                "the file {} of a BATCH message is not the tap's own",
                path.display()
            ));
        }
        let file = BufReader::with_capacity(1 << 18, file);
        Ok(match self.is_compressed {
            true => Box::new(BufReader::new(MultiGzDecoder::new(file))),
            false => Box::new(file),
        })
    }
}

/// The file behind a name, an address or a path. Only what the tap wrote into its own directory is read: it could name the
/// server's files as well.
fn path(name: &str, directory: &Path) -> Result<PathBuf, String> {
    let refused = |why: &str| format!("the file {name} of a BATCH message {why}");
    let path = name.strip_prefix("file://").unwrap_or(name);
    if name.contains("://") && !name.starts_with("file://") {
        return Err(refused("is not a local one"));
    }
    let (path, directory) = match (
        std::fs::canonicalize(path),
        std::fs::canonicalize(directory),
    ) {
        (Ok(path), Ok(directory)) => (path, directory),
        _ => return Err(refused("does not exist")),
    };
    match path.starts_with(&directory) {
        true => Ok(path),
        false => Err(refused("is not in the tap's own directory")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a tap of another user can name them, by a link that it puts in the way after the path was looked at.
    #[test]
    fn files_of_others_are_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.jsonl");
        std::fs::write(&path, "{}\n").unwrap();
        let mut files = BatchFiles {
            stream: 0,
            paths: vec![path.clone()].into_iter(),
            is_compressed: false,
            owner: std::fs::metadata(directory.path()).unwrap().uid(),
            open: None,
        };
        // Who is not root gives nothing away, and reads its own.
        let is_other = std::os::unix::fs::chown(&path, Some(54_321), None).is_ok();
        match files.next_record(100, &mut Vec::new()) {
            Ok(found) => assert!(found && !is_other),
            Err(said) => assert!(is_other && said.contains("is not the tap's own"), "{said}"),
        }
    }
}
