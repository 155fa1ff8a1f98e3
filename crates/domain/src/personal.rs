//! Personal data: kept apart from the rest of an event, sealed with its subject's key before it reaches the log.

use serde::{Deserialize, Serialize};

/// Personal data, or the knowledge that it was forgotten (its subject's key is destroyed).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Personal<T> {
    /// Readable.
    Known(T),
    /// The key is gone, and the data with it. JSON `null`.
    #[default]
    Forgotten,
}

impl<T> Personal<T> {
    /// The data, when it is still readable.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(data) => Some(data),
            Self::Forgotten => None,
        }
    }
}

impl<T> From<T> for Personal<T> {
    fn from(data: T) -> Self {
        Self::Known(data)
    }
}
