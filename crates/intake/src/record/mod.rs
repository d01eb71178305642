//! What holds for every record, whatever it is typed by: no member stands twice in an object, nothing is nested too deeply,
//! the values are few enough, and the key is there.
//!
//! Everything is found while reading over the text once, without building anything.

mod keys;
mod members;
mod reader;
mod surrogates;

pub(crate) use keys::{KeyValue, Keys, MAX_KEY_CHARACTERS, count_characters};
pub(crate) use members::{Members, OpenObject};
pub(crate) use reader::{
    Facts, Flaw, NotFinite, REPEATED_MEMBER, Reader, characters, string, within_depth,
};
pub(crate) use surrogates::mend_surrogates;

/// Values without inner parts that a record may have, at whatever depth.
pub(crate) const MAX_DATA_POINTS: usize = 10_000;
