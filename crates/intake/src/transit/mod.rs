//! Transit, JSON's verbose and compact forms, into JSON whose strings are tagged: see [`crate::Typing::Tag`].
//!
//! The format is that of <https://github.com/cognitect/transit-format>. Nothing is built but the text that comes out, which may
//! be longer than the one that went in and is therefore bounded.

mod cache;
mod ground;
mod reader;
mod writer;

use std::str::Utf8Error;

use selvedge_json::Malformed;

/// Why a text is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransitError {
    #[error(transparent)]
    Encoding(#[from] Utf8Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Half of a surrogate pair stands alone in a string.
    #[error("half of a surrogate pair stands alone")]
    LoneSurrogate,
    #[error("unknown Transit tag [{0}]")]
    UnknownTag(String),
    #[error("not a value of its Transit type: [{0}]")]
    BadValue(String),
    #[error("unknown Transit cache code [{0}]")]
    UnknownCode(String),
    /// What came out had so many bytes already.
    #[error("decoded to more than {0} bytes")]
    TooLarge(usize),
}

/// The one value that `text` is, as JSON of at most `max_bytes`.
pub(crate) fn to_json(text: &str, max_bytes: usize) -> Result<String, TransitError> {
    reader::Reader::new(text, max_bytes).read()
}

#[cfg(test)]
mod tests;
