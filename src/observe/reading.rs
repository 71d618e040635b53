//! What is known of something.

use serde::{Deserialize, Serialize};

use crate::kubernetes::{Cause, RequestError};

/// What is known of something. Unknown is never healthy and never absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", content = "value", rename_all = "camelCase")]
pub enum Reading<T> {
    /// It is there.
    Present(T),
    /// It is not there.
    Absent,
    /// It could not be read.
    Unknown(Reason),
    /// It was not asked for.
    #[default]
    NotAsked,
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// For want of permission, with the server's words.
    Forbidden(String),
    /// For another reason.
    Failed(String),
}

impl From<RequestError> for Reason {
    fn from(error: RequestError) -> Self {
        match error.cause {
            Cause::Forbidden(message) => Self::Forbidden(message),
            cause => Self::Failed(cause.to_string()),
        }
    }
}

impl<T> From<Result<Option<T>, RequestError>> for Reading<T> {
    fn from(result: Result<Option<T>, RequestError>) -> Self {
        match result {
            Ok(Some(value)) => Self::Present(value),
            Ok(None) => Self::Absent,
            Err(error) => Self::Unknown(error.into()),
        }
    }
}

impl<T> Reading<T> {
    /// The same of what is made of the value.
    pub fn map<U>(&self, of: impl FnOnce(&T) -> U) -> Reading<U> {
        match self {
            Self::Present(value) => Reading::Present(of(value)),
            Self::Absent => Reading::Absent,
            Self::Unknown(reason) => Reading::Unknown(reason.clone()),
            Self::NotAsked => Reading::NotAsked,
        }
    }

    /// Whether it was not asked for: then there is nothing to be saved.
    #[must_use]
    pub fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }

    /// The value, if it is there.
    #[must_use]
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            _ => None,
        }
    }
}
