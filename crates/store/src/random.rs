//! Random texts: tokens and partner secrets, which are stored as hashes only, and signing secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selvedge_types::Secret;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::StoreError;
use crate::error::DriverError;

/// Fills `bytes` from the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|error| {
        StoreError::Unavailable(DriverError::new(format!(
            "the operating system gave no randomness: {error}"
        )))
    })
}

/// `prefix` and 256 random bits in hexadecimal.
pub(crate) fn secret(prefix: &str) -> Result<Secret, StoreError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    fill(&mut *bytes)?;
    Ok(Secret::new(format!("{prefix}{}", hex(&*bytes))))
}

/// `prefix` and 256 random bits in base64.
pub(crate) fn base64_secret(prefix: &str) -> Result<Secret, StoreError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    fill(&mut *bytes)?;
    // Long enough from the start: growing would leave copies behind.
    let mut text = String::with_capacity(prefix.len() + 44);
    text.push_str(prefix);
    STANDARD.encode_string(bytes.as_slice(), &mut text);
    Ok(Secret::new(text))
}

/// `prefix` and 128 random bits in hexadecimal: nobody else has it, and it need not be kept secret.
pub(crate) fn id(prefix: &str) -> Result<String, StoreError> {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes)?;
    Ok(format!("{prefix}{}", hex(&bytes)))
}

/// What is stored of a secret. Secrets have 256 bits of entropy, so a plain hash cannot be searched.
pub(crate) fn hash(secret: &str) -> String {
    hash_bytes(secret.as_bytes())
}

pub(crate) fn hash_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
    bytes.iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_256_random_bits_behind_their_prefix() {
        let (one, two) = (secret("ac_").unwrap(), secret("ac_").unwrap());
        assert!(one != two);
        assert_eq!(one.expose().len(), 3 + 64);
        assert!(one.expose().starts_with("ac_"));
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(
            hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
