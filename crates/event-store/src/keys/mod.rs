//! The keys of personal data: one per person, wrapped with the master key, destroyed to forget.

mod master;
mod vault;

pub use master::{MasterKey, MasterKeyError};
pub(crate) use vault::{Keys, Subject};

use aes_gcm::aead::{Aead, Generate, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};

const NONCE_BYTES: usize = 12;

/// Encrypts with AES-256-GCM under a fresh random nonce, which goes first. `bound` is what it belongs to: the result opens
/// nowhere else.
fn seal(key: &[u8; 32], plain: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    let nonce = Nonce::generate();
    let sealed = cipher.encrypt(&nonce, Payload { msg: plain, aad: bound }).ok()?;
    let mut bytes = nonce.to_vec();
    bytes.extend(sealed);
    Some(bytes)
}

/// Opens what [`seal`] has sealed. `None`: another key, another place, or changed.
fn open(key: &[u8; 32], sealed: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    cipher.decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: bound }).ok()
}

/// A fresh random key.
fn fresh() -> [u8; 32] {
    Key::<Aes256Gcm>::generate().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_data_opens_with_its_key_in_its_place_only() {
        let (key, other) = (fresh(), fresh());
        let sealed = seal(&key, "홍길동".as_bytes(), b"here").unwrap();
        assert_eq!(open(&key, &sealed, b"here").unwrap(), "홍길동".as_bytes());
        assert_eq!(open(&other, &sealed, b"here"), None);
        assert_eq!(open(&key, &sealed, b"there"), None);
        assert_eq!(open(&key, &sealed[..10], b"here"), None);
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(open(&key, &changed, b"here"), None);
    }

    #[test]
    fn the_same_text_is_never_sealed_alike() {
        let key = fresh();
        assert_ne!(seal(&key, b"same", b""), seal(&key, b"same", b""));
    }
}
