//! What a run that goes on must make again exactly: the keys of its commands, and the passwords of its customers.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The idempotency keys of one import: the same file makes the same keys, so that a command that was given before is
/// answered as the first time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys(Uuid);

impl Keys {
    /// The keys of a file with that digest. A file in another currency is another import.
    pub(super) fn new(digest: &str, currency: &str) -> Self {
        Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("jumun import 1\n{digest}\n{currency}").as_bytes()))
    }

    /// The key of one step.
    pub(super) fn of(&self, step: &[&str]) -> Uuid {
        Uuid::new_v5(&self.0, step.join("\n").as_bytes())
    }
}

/// The digest of a file, in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What passwords are made of. Never printed.
pub(super) struct Secret([u8; 32]);

impl Secret {
    pub(super) fn random() -> Self {
        Self(rand::random())
    }

    /// Reads what [`Secret::text`] has written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        hex::decode(text.trim()).ok()?.try_into().ok().map(Self)
    }

    pub(super) fn text(&self) -> String {
        hex::encode(self.0)
    }

    /// The password of an imported customer: nobody can guess it, and a later run can sign in with it again.
    pub(super) fn password(&self, customer: &str) -> String {
        hex::encode(self.of("customer", customer))
    }

    /// The idempotency key of a customer's registration, which is done without a token: it must be as random as a password, and the
    /// same in a later run.
    pub(super) fn key(&self, customer: &str) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.of("registration", customer)[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    fn of(&self, purpose: &str, customer: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(purpose.as_bytes());
        hash.update(b"\n");
        hash.update(customer.as_bytes());
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_step_of_the_same_file_has_the_same_key() {
        let keys = Keys::new("00", "GBP");
        let key = keys.of(&["536365", "order"]);
        assert_eq!(Keys::new("00", "GBP").of(&["536365", "order"]), key);
        for other in [keys.of(&["536365", "cart"]), keys.of(&["536366", "order"])] {
            assert_ne!(other, key);
        }
        assert_ne!(Keys::new("01", "GBP").of(&["536365", "order"]), key);
        assert_ne!(Keys::new("00", "EUR").of(&["536365", "order"]), key);
    }

    #[test]
    fn a_secret_that_is_read_again_makes_the_same_passwords() {
        let secret = Secret::random();
        let again = Secret::parse(&format!("{}\n", secret.text())).unwrap();
        assert_eq!(secret.password("17850"), again.password("17850"));
        assert_ne!(secret.password("17850"), secret.password("17851"));
        assert_ne!(secret.password("17850"), Secret::random().password("17850"));
        assert!(Secret::parse("00").is_none());
        assert_eq!((secret.key("17850"), secret.key("17850").get_version_num()), (again.key("17850"), 4));
        assert_ne!(secret.key("17850"), secret.key("17851"));
        assert!(!secret.password("17850").starts_with(&secret.key("17850").simple().to_string()[..8]));
    }
}
