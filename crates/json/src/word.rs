//! Texts that are looked for at many places.

/// A text, and its beginning in a form that is compared at once.
#[derive(Clone, Debug)]
pub struct Word {
    text: Box<str>,
    /// The first sixteen bytes, first byte lowest.
    beginning: u128,
    /// Which bits of it count.
    mask: u128,
}

impl Word {
    pub fn new(text: &str) -> Self {
        let length = text.len().min(16);
        let mut beginning = [0; 16];
        beginning[..length].copy_from_slice(&text.as_bytes()[..length]);
        let mut mask = [0; 16];
        mask[..length].fill(0xff);
        Self {
            text: text.into(),
            beginning: u128::from_le_bytes(beginning),
            mask: u128::from_le_bytes(mask),
        }
    }

    /// Length in bytes.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    /// Whether a text begins with this one.
    #[inline]
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk() {
            Some(sixteen) => {
                u128::from_le_bytes(*sixteen) & self.mask == self.beginning
                    && (self.text.len() <= 16 || text.starts_with(self.text.as_bytes()))
            }
            None => text.starts_with(self.text.as_bytes()),
        }
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
