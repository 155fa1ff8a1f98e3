//! How far an order has come, in one word.

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// How far an order has come, in one word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Status { $($(#[$doc])* #[serde(rename = $name)] $variant),* }
        impl Status {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Its name.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $name),* } }
            /// The one of that name.
            pub fn parse(name: &str) -> Option<Self> { match name { $($name => Some(Self::$variant),)* _ => None } }
        }
    };
}

statuses! {
    /// Reserved, not paid yet.
    PendingPayment = "pending_payment",
    /// Paid.
    Confirmed = "confirmed",
    /// Some pieces are on their way.
    PartiallyShipped = "partially_shipped",
    /// All pieces are on their way.
    Shipped = "shipped",
    /// All pieces have arrived.
    Delivered = "delivered",
    /// Not paid; released.
    PaymentFailed = "payment_failed",
    /// Called off; released.
    Cancelled = "cancelled",
    /// Some pieces came back.
    PartiallyReturned = "partially_returned",
    /// All pieces came back.
    Returned = "returned",
    /// Some money went back.
    PartiallyRefunded = "partially_refunded",
    /// All money went back.
    Refunded = "refunded",
}
