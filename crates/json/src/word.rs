//! Texts that are looked for at many places.

use crate::sixteen::{LEN, Sixteen};

/// A text, and its beginning in a form that is compared at once.
#[derive(Clone, Debug)]
pub struct Word {
    text: Box<str>,
    /// The first sixteen bytes.
    beginning: [u8; LEN],
    /// A bit for each of them that the text does not have.
    behind: u32,
}

impl Word {
    pub fn new(text: &str) -> Self {
        let length = text.len().min(LEN);
        let mut beginning = [0; LEN];
        beginning[..length].copy_from_slice(&text.as_bytes()[..length]);
        Self {
            text: text.into(),
            beginning,
            behind: 0xffff << length & 0xffff,
        }
    }

    /// Length in bytes.
    #[inline(always)]
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    /// Whether a text begins with this one.
    #[inline(always)]
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk() {
            Some(sixteen) => {
                let same = Sixteen::new(*sixteen).equals(Sixteen::new(self.beginning));
                same | self.behind == 0xffff && (self.text.len() <= LEN || self.begins_all_of(text))
            }
            None => self.begins_all_of(text),
        }
    }

    #[inline(never)]
    fn begins_all_of(&self, text: &[u8]) -> bool {
        text.starts_with(self.text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_begins_what_starts_with_it() {
        let texts = [
            "",
            "a",
            "\"id\":",
            "fifteen letters",
            "sixteen letters!",
            "seventeen letters",
            "sixteen letters? and more",
        ];
        let long = format!("{} and a tail", texts[5]);
        let longer = format!("{}, and as long a tail", texts[2]);
        for word in texts {
            for text in texts.iter().copied().chain([&*long, &*longer]) {
                assert_eq!(
                    Word::new(word).begins(text.as_bytes()),
                    text.starts_with(word),
                    "{word:?} in {text:?}"
                );
            }
        }
    }
}
