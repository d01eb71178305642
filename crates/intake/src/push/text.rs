//! Strings of a body, which may be tagged.

use std::borrow::Cow;

use selvedge_json::{RawString, unescape};

/// What strings of a body stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strings {
    /// For themselves.
    Plain,
    /// For themselves unless they begin with a tilde: see [`crate::Typing::Tag`].
    Tagged,
}

impl Strings {
    /// The text that a string stands for; `None` for what is no text, be it tagged or not Unicode.
    pub(super) fn text(self, raw: RawString<'_>) -> Option<Cow<'_, str>> {
        let text = unescape(raw).ok()?;
        match self {
            Strings::Tagged if text.starts_with('~') => {
                let rest = text.strip_prefix('~')?;
                rest.starts_with('~').then(|| Cow::Owned(rest.to_owned()))
            }
            _ => Some(text),
        }
    }
}
