//! Credentials of a connection, in memory.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use zeroize::{Zeroize, Zeroizing};

use crate::StoreError;
use crate::cipher::{Cipher, Purpose};

/// Secret properties by name: passwords, keys, tokens. `Debug` shows names only; the values are wiped when dropped.
#[derive(Clone, Default, PartialEq)]
pub struct Credentials(BTreeMap<String, Json>);

impl Credentials {
    pub fn new(entries: impl IntoIterator<Item = (String, Json)>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// The value itself; the caller keeps it out of logs, answers and errors.
    pub fn expose(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// All values; the caller keeps them out of logs, answers and errors.
    pub fn expose_all(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Sets a value and wipes the one it replaces.
    pub fn set(&mut self, name: impl Into<String>, value: Json) {
        if let Some(mut old) = self.0.insert(name.into(), value) {
            wipe(&mut old);
        }
    }

    pub fn remove(&mut self, name: &str) {
        if let Some(mut old) = self.0.remove(name) {
            wipe(&mut old);
        }
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The stored form; nothing is stored where there is nothing to hide.
    pub(crate) fn seal(
        &self,
        cipher: &Cipher,
        purpose: Purpose,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_empty() {
            return Ok(None);
        }
        let plain = Zeroizing::new(
            serde_json::to_vec(&self.0).expect("JSON values with text keys always serialize"),
        );
        cipher.seal(&purpose, &plain).map(Some)
    }

    /// Reads the stored form; `None` when it cannot be decrypted or understood.
    pub(crate) fn open(cipher: &Cipher, purpose: Purpose, sealed: Option<&[u8]>) -> Option<Self> {
        let Some(sealed) = sealed else {
            return Some(Self::default());
        };
        let plain = cipher.open(&purpose, sealed)?;
        serde_json::from_slice(&plain).ok().map(Self)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Json) {
    match value {
        Json::String(text) => text.zeroize(),
        Json::Array(items) => items.iter_mut().for_each(wipe),
        Json::Object(entries) => entries.values_mut().for_each(wipe),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_and_no_values() {
        let credentials = Credentials::new([("password".to_owned(), Json::from("hunter2"))]);
        let shown = format!("{credentials:?}");
        assert!(shown.contains("password") && !shown.contains("hunter2"));
    }
}
