//! Words of the description on a page: escaped, with what stands between backticks as code.

use std::fmt;

use askama::filters::{Html, escape};

/// Prints itself as HTML, so that templates take it as `safe`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The paragraphs of a text, which empty lines divide.
    pub(super) fn paragraphs(text: &str) -> Vec<Self> {
        text.split("\n\n")
            .map(str::trim)
            .filter(|paragraph| !paragraph.is_empty())
            .map(Self::new)
            .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_str();
        while let Some((words, after)) = rest.split_once('`') {
            let Some((code, after)) = after.split_once('`') else {
                break;
            };
            write!(formatter, "{}<code>{}</code>", html(words)?, html(code)?)?;
            rest = after;
        }
        write!(formatter, "{}", html(rest)?)
    }
}

fn html(text: &str) -> Result<impl fmt::Display + '_, fmt::Error> {
    escape(text, Html).map_err(|_| fmt::Error)
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn backticks_mark_code_and_everything_is_escaped() {
        for (text, html) in [
            ("plain & <b>", "plain &#38; &#60;b&#62;"),
            (
                "`null` or `<a>`.",
                "<code>null</code> or <code>&#60;a&#62;</code>.",
            ),
            ("one ` alone", "one ` alone"),
            ("", ""),
        ] {
            assert_eq!(Text::new(text).to_string(), html);
        }
    }
}
