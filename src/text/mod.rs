//! Words without a subject.

mod hint;
mod nearest;

pub use hint::{Command, Hint};
pub use nearest::nearest;
