//! Why what was chosen leads nowhere.

use crate::error::Error;

/// Why there is none: for the context, or in words of its own.
pub enum Why {
    /// Of an entry that the context leads to.
    Entry(String),
    /// With a hint of its own.
    Said(Error),
}

impl From<Error> for Why {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}

impl From<String> for Why {
    fn from(why: String) -> Self {
        Self::Entry(why)
    }
}
