//! The key that the caller gives, and what is derived from it.
//!
//! Every process start draws a salt and derives a key of its own, so that counted nonces never meet under one key. Each segment names
//! its salt.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{self, HKDF_SHA256, KeyType, Prk};
use uuid::Uuid;
use zeroize::Zeroize;

/// Bytes that encryption adds.
pub(crate) const TAG_LEN: usize = 16;
pub(crate) const SALT_LEN: usize = 32;
pub(crate) const CHECK_LEN: usize = 16;

/// The 256-bit key of a log. Wiped when dropped.
pub struct SpoolKey([u8; 32]);

impl SpoolKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for SpoolKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SpoolKey(…)")
    }
}

impl Drop for SpoolKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The library of primitives refused a call; with sizes below its limits it does not.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("encryption failed")]
pub(crate) struct CipherError;

/// A text that was encrypted with another key, or is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not what was encrypted")]
pub(crate) struct NotAuthentic;

/// Encrypts under one salt of one log.
pub(crate) struct Cipher {
    key: LessSafeKey,
    salt: [u8; SALT_LEN],
    check: [u8; CHECK_LEN],
}

struct CheckLength;

impl KeyType for CheckLength {
    fn len(&self) -> usize {
        CHECK_LEN
    }
}

impl Cipher {
    /// With a salt that nobody used before.
    pub(crate) fn fresh(key: &SpoolKey, log_id: Uuid) -> Result<Self, CipherError> {
        let mut salt = [0; SALT_LEN];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| CipherError)?;
        Self::derive(key, log_id, salt)
    }

    pub(crate) fn derive(
        key: &SpoolKey,
        log_id: Uuid,
        salt: [u8; SALT_LEN],
    ) -> Result<Self, CipherError> {
        let secret: Prk = hkdf::Salt::new(HKDF_SHA256, &salt).extract(&key.0);
        let data_info: &[&[u8]] = &[b"selvedge spool 1 data", log_id.as_bytes()];
        let check_info: &[&[u8]] = &[b"selvedge spool 1 check", log_id.as_bytes()];
        let data = secret
            .expand(data_info, &AES_256_GCM)
            .map_err(|_| CipherError)?;
        let mut check = [0; CHECK_LEN];
        secret
            .expand(check_info, CheckLength)
            .and_then(|derived| derived.fill(&mut check))
            .map_err(|_| CipherError)?;
        Ok(Self {
            key: LessSafeKey::new(UnboundKey::from(data)),
            salt,
            check,
        })
    }

    pub(crate) fn salt(&self) -> &[u8; SALT_LEN] {
        &self.salt
    }

    /// Tells keys apart without giving them away.
    pub(crate) fn check(&self) -> &[u8; CHECK_LEN] {
        &self.check
    }

    /// Encrypts in place and returns the tag. `nonce` is used once per cipher.
    pub(crate) fn seal(
        &self,
        nonce: u64,
        associated: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CipherError> {
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce_bytes(nonce), Aad::from(associated), text)
            .map_err(|_| CipherError)?;
        tag.as_ref().try_into().map_err(|_| CipherError)
    }

    /// Decrypts in place what stands before the tag.
    pub(crate) fn open<'a>(
        &self,
        nonce: u64,
        associated: &[u8],
        text_and_tag: &'a mut [u8],
    ) -> Result<&'a mut [u8], NotAuthentic> {
        self.key
            .open_in_place(nonce_bytes(nonce), Aad::from(associated), text_and_tag)
            .map_err(|_| NotAuthentic)
    }
}

fn nonce_bytes(counter: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&counter.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_keys_and_logs_make_different_ciphers() {
        let id = Uuid::from_u128(1);
        let key = SpoolKey::new([7; 32]);
        let cipher = Cipher::derive(&key, id, [1; 32]).unwrap();
        let mut text = *b"hello";
        let tag = cipher.seal(9, b"head", &mut text).unwrap();
        let sealed: Vec<u8> = text.iter().chain(&tag).copied().collect();

        let again = Cipher::derive(&key, id, [1; 32]).unwrap();
        assert_eq!(
            again.open(9, b"head", &mut sealed.clone()).unwrap(),
            b"hello"
        );
        assert_eq!(again.check(), cipher.check());
        assert!(again.open(8, b"head", &mut sealed.clone()).is_err());
        assert!(again.open(9, b"tail", &mut sealed.clone()).is_err());

        for other in [
            Cipher::derive(&key, id, [2; 32]).unwrap(),
            Cipher::derive(&key, Uuid::from_u128(2), [1; 32]).unwrap(),
            Cipher::derive(&SpoolKey::new([8; 32]), id, [1; 32]).unwrap(),
        ] {
            assert_ne!(other.check(), cipher.check());
            assert!(other.open(9, b"head", &mut sealed.clone()).is_err());
        }
    }
}
