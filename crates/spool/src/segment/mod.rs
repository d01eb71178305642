//! Segment files: a header, frames, and a seal when nothing more is written.

mod header;
mod seal;
mod summary;
mod verify;
mod walk;

pub(crate) use header::{HEADER_LEN, HeaderError, SegmentHeader};
pub(crate) use seal::{Seal, encode_seal, read_seal};
pub(crate) use summary::{LanePositions, Position, Positions, Summary};
pub(crate) use verify::{Tail, scan, verify};
pub(crate) use walk::{EntryFrame, Frame, Walker, add_positions, place_parts};

use std::path::{Path, PathBuf};

/// Ending of segment files.
const ENDING: &str = "seg";
/// Ending of files that are not complete yet.
const UNFINISHED: &str = "new";

/// `base` is the lowest position that the segment may hold; it is the segment's name for good.
pub(crate) fn path(directory: &Path, base: u64) -> PathBuf {
    directory.join(format!("{base:020}.{ENDING}"))
}

/// Where a segment is written before it takes its name.
pub(crate) fn unfinished_path(directory: &Path, base: u64) -> PathBuf {
    directory.join(format!("{base:020}.{ENDING}.{UNFINISHED}"))
}

/// What a file in the log's directory is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Segment(u64),
    Unfinished,
    Other,
}

pub(crate) fn file_kind(name: &str) -> FileKind {
    let mut pieces = name.split('.');
    let base = pieces
        .next()
        .filter(|digits| digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    match (base, pieces.next(), pieces.next(), pieces.next()) {
        (Some(base), Some(ENDING), None, None) => FileKind::Segment(base),
        (Some(_), Some(ENDING), Some(UNFINISHED), None) => FileKind::Unfinished,
        _ => FileKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_is() {
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            file_kind(&name(path(Path::new("/x"), 7))),
            FileKind::Segment(7)
        );
        assert_eq!(
            file_kind(&name(unfinished_path(Path::new("/x"), 7))),
            FileKind::Unfinished
        );
        for other in [
            "lock",
            "7.seg",
            "00000000000000000007.seg.old",
            "+0000000000000000007.seg",
        ] {
            assert_eq!(file_kind(other), FileKind::Other, "{other}");
        }
    }
}
