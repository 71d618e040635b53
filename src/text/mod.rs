//! Words without a subject.

mod hex;
mod hint;
pub mod json;
mod nearest;
mod sanitize;
mod time;

pub use hex::hex;
pub use hint::{Command, Hint};
pub use nearest::nearest;
pub use sanitize::{brief, clean, one_line, shortened};
pub use time::{duration, seconds};
