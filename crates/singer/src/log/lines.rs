//! Takes bytes apart into lines, whose length is bounded.

use std::ops::Range;

/// The beginning of a line, and how much more of it there was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Without line end, escape sequences and other control characters.
    pub(crate) text: String,
    /// Bytes that were not kept.
    pub(crate) cut: usize,
}

/// Collects lines of which at most `keep` bytes are kept.
pub(crate) struct Lines {
    keep: usize,
    kept: Vec<u8>,
    cut: usize,
}

impl Lines {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            keep,
            kept: Vec::new(),
            cut: 0,
        }
    }

    /// Changes how many bytes are kept.
    pub(crate) fn keep(&mut self, keep: usize) {
        self.keep = keep;
    }

    /// Passes on the lines that these bytes complete.
    pub(crate) fn push(&mut self, bytes: &[u8], mut pass_on: impl FnMut(Line)) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (content, complete) = match part.split_last() {
                Some((b'\n', content)) => (content, true),
                _ => (part, false),
            };
            let room = self.keep.saturating_sub(self.kept.len()).min(content.len());
            let (kept, cut) = content.split_at(room);
            self.kept.extend_from_slice(kept);
            self.cut += cut.len();
            if complete {
                pass_on(self.take());
            }
        }
    }

    /// What has no end yet.
    pub(crate) fn rest(&mut self) -> Option<Line> {
        (!self.kept.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> Line {
        let kept = String::from_utf8_lossy(&self.kept);
        let line = Line {
            text: printable(&kept),
            cut: self.cut,
        };
        self.kept.clear();
        self.kept.shrink_to(8 << 10);
        self.cut = 0;
        line
    }
}

/// The text without colours and control characters. A tabulator stays.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
        printable.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[escape_sequence(rest).end..];
    }
    printable.push_str(rest);
    printable.truncate(printable.trim_end().len());
    printable
}

/// The control character at the beginning, with what belongs to it: `ESC [ … letter`.
fn escape_sequence(text: &str) -> Range<usize> {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let Some(sequence) = text.strip_prefix("\u{1b}[") else {
        return 0..first;
    };
    let length = sequence.find(|c: char| !matches!(c, '\u{20}'..='\u{3f}'));
    let end = length.map_or(text.len(), |length| {
        let last = sequence[length..].chars().next().filter(char::is_ascii);
        first + 1 + length + last.map_or(0, char::len_utf8)
    });
    0..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(keep: usize, chunks: &[&[u8]]) -> Vec<Line> {
        let mut collected = Vec::new();
        let mut lines = Lines::new(keep);
        for chunk in chunks {
            lines.push(chunk, |line| collected.push(line));
        }
        collected.extend(lines.rest());
        collected
    }

    fn line(text: &str, cut: usize) -> Line {
        Line {
            text: text.to_owned(),
            cut,
        }
    }

    #[test]
    fn lines_are_put_together_from_chunks() {
        let read = lines(80, &[b"one\r\ntw", b"", b"o\n\nthr", b"ee"]);
        let expected = ["one", "two", "", "three"].map(|text| line(text, 0));
        assert_eq!(read, expected);
    }

    #[test]
    fn long_lines_are_cut_and_the_rest_is_counted() {
        let read = lines(4, &[b"123", b"4567", b"89\n1234\n12345"]);
        assert_eq!(read, [line("1234", 5), line("1234", 0), line("1234", 1)]);
    }

    #[test]
    fn colours_and_controls_are_left_out() {
        let read = lines(
            80,
            &[b"\x1b[1;31mERROR\x1b[0m a\tb\x07c\x00\n\x1b[\x1b\n\xff\xfe"],
        );
        assert_eq!(
            read,
            [
                line("ERROR a\tbc", 0),
                line("", 0),
                line("\u{fffd}\u{fffd}", 0)
            ]
        );
    }
}
