//! Encryption at rest: XChaCha20-Poly1305 under the master key, bound to the row it belongs to.
//!
//! Sealed bytes are `1 | key id (8) | nonce (24) | ciphertext and tag`. The associated data names the purpose (account,
//! kind and id of the connection, for example) and the key id, so that a ciphertext copied into another row is refused.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use selvedge_types::{AccountId, HookId, Secret};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Connection, StoreError, random};

const VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 8;
const NONCE_LENGTH: usize = 24;
const HEADER_LENGTH: usize = 1 + KEY_ID_LENGTH + NONCE_LENGTH;

/// The operator's key: 32 random bytes, and an id derived from them that may be seen.
#[derive(Clone)]
pub struct MasterKey {
    id: [u8; KEY_ID_LENGTH],
    bytes: Zeroizing<[u8; 32]>,
}

/// A text that is not a master key.
#[derive(Debug, thiserror::Error)]
#[error("a master key is 32 random bytes in base64")]
pub struct InvalidMasterKey;

impl MasterKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&bytes)
            .expect("HMAC takes keys of any length");
        mac.update(b"selvedge master key id");
        let digest = mac.finalize().into_bytes();
        let mut id = [0; KEY_ID_LENGTH];
        id.copy_from_slice(&digest[..KEY_ID_LENGTH]);
        Self {
            id,
            bytes: Zeroizing::new(bytes),
        }
    }

    /// A new random key.
    pub fn generate() -> Result<Self, StoreError> {
        let mut bytes = Zeroizing::new([0; 32]);
        random::fill(&mut *bytes)?;
        Ok(Self::from_bytes(*bytes))
    }

    /// Reads base64, standard or URL-safe, with or without padding; blanks around it are ignored.
    pub fn parse(text: &Secret) -> Result<Self, InvalidMasterKey> {
        let text = text.expose().trim();
        let decoded = Zeroizing::new(
            STANDARD
                .decode(text)
                .or_else(|_| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')))
                .map_err(|_| InvalidMasterKey)?,
        );
        let bytes: [u8; 32] = decoded
            .as_slice()
            .try_into()
            .map_err(|_| InvalidMasterKey)?;
        Ok(Self::from_bytes(bytes))
    }

    /// The text that [`MasterKey::parse`] reads.
    pub fn to_text(&self) -> Secret {
        Secret::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// A key for another purpose, the same on every node that has the master key; it tells nothing about the master key.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.bytes.as_slice())
            .expect("HMAC takes keys of any length");
        mac.update(b"selvedge derived key: ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The id in hexadecimal: safe to show, and enough to tell two keys apart.
    pub fn id(&self) -> String {
        random::hex(&self.id)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterKey({})", self.id())
    }
}

/// What a ciphertext is for. It cannot be read for anything else.
pub(crate) enum Purpose {
    /// The store's proof that it was opened with the right key.
    KeyCheck,
    /// Credentials of a connection.
    Credentials(AccountId, Connection),
    /// The signing secret of a hook.
    HookSecret(AccountId, HookId),
    /// What a hook is told, by the message's id.
    HookMessage(AccountId, String),
    /// An answer kept for repeats of a request.
    Answer { scope: String, key_hash: String },
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Purpose::KeyCheck => formatter.write_str("key-check"),
            Purpose::Credentials(account, connection) => write!(
                formatter,
                "credentials:{account}:{}:{}",
                connection.kind(),
                connection.id()
            ),
            Purpose::HookSecret(account, hook) => {
                write!(formatter, "hook-secret:{account}:{hook}")
            }
            Purpose::HookMessage(account, message) => {
                write!(formatter, "hook-message:{account}:{message}")
            }
            Purpose::Answer { scope, key_hash } => write!(formatter, "answer:{key_hash}:{scope}"),
        }
    }
}

/// Seals and opens under one master key.
pub(crate) struct Cipher {
    key: MasterKey,
    aead: XChaCha20Poly1305,
}

impl Cipher {
    pub(crate) fn new(key: MasterKey) -> Self {
        let aead = XChaCha20Poly1305::new_from_slice(key.bytes.as_slice())
            .expect("the key has the cipher's length");
        Self { key, aead }
    }

    pub(crate) fn seal(&self, purpose: &Purpose, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_LENGTH];
        random::fill(&mut nonce)?;
        let ciphertext = self
            .aead
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &self.associated_data(purpose),
                },
            )
            .expect("only plaintexts beyond 256 GiB cannot be encrypted");
        let mut sealed = Vec::with_capacity(HEADER_LENGTH + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// `None` when the bytes were sealed for another purpose, with another key, or were changed.
    pub(crate) fn open(&self, purpose: &Purpose, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (header, ciphertext) = sealed.split_at_checked(HEADER_LENGTH)?;
        let (version, header) = header.split_first()?;
        let (key_id, nonce) = header.split_at_checked(KEY_ID_LENGTH)?;
        if *version != VERSION || key_id != self.key.id {
            return None;
        }
        let nonce: [u8; NONCE_LENGTH] = nonce.try_into().ok()?;
        self.aead
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: ciphertext,
                    aad: &self.associated_data(purpose),
                },
            )
            .ok()
            .map(Zeroizing::new)
    }

    fn associated_data(&self, purpose: &Purpose) -> Vec<u8> {
        format!("selvedge:{VERSION}:{}:{purpose}", self.key.id()).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use selvedge_types::{DestinationId, SourceId};

    use super::*;

    fn cipher(byte: u8) -> Cipher {
        Cipher::new(MasterKey::from_bytes([byte; 32]))
    }

    fn of_source(account: i64, source: i64) -> Purpose {
        Purpose::Credentials(AccountId(account), SourceId(source).into())
    }

    #[test]
    fn only_the_same_key_and_purpose_open_what_was_sealed() {
        let sealed = cipher(1).seal(&of_source(1, 2), b"hunter2").unwrap();
        assert_eq!(
            cipher(1)
                .open(&of_source(1, 2), &sealed)
                .unwrap()
                .as_slice(),
            b"hunter2"
        );
        assert!(cipher(2).open(&of_source(1, 2), &sealed).is_none());
        for other in [
            of_source(1, 3),
            of_source(2, 2),
            Purpose::Credentials(AccountId(1), DestinationId(2).into()),
            Purpose::HookSecret(AccountId(1), HookId(2)),
            Purpose::KeyCheck,
        ] {
            assert!(cipher(1).open(&other, &sealed).is_none(), "{other}");
        }
    }

    #[test]
    fn changed_or_cut_bytes_do_not_open() {
        let sealed = cipher(1).seal(&Purpose::KeyCheck, b"hunter2").unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(
                cipher(1).open(&Purpose::KeyCheck, &changed).is_none(),
                "{position}"
            );
            assert!(
                cipher(1)
                    .open(&Purpose::KeyCheck, &sealed[..position])
                    .is_none()
            );
        }
    }

    #[test]
    fn equal_plaintexts_have_different_ciphertexts() {
        let seal = || cipher(1).seal(&Purpose::KeyCheck, b"hunter2").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn keys_travel_as_base64() {
        let key = MasterKey::from_bytes([250; 32]);
        let text = key.to_text();
        assert_eq!(MasterKey::parse(&text).unwrap().id(), key.id());
        let url_safe = text
            .expose()
            .replace('+', "-")
            .replace('/', "_")
            .replace('=', "");
        let padded = Secret::new(format!(" {url_safe}\n"));
        assert_eq!(MasterKey::parse(&padded).unwrap().id(), key.id());
        for bad in ["", "hunter2", "AAAA"] {
            assert!(MasterKey::parse(&Secret::new(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_the_id_and_not_the_key() {
        let key = MasterKey::from_bytes([7; 32]);
        assert_eq!(format!("{key:?}"), format!("MasterKey({})", key.id()));
    }
}
