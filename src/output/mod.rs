//! The only place that prints. It knows no subject.

mod format;
pub mod json;
mod printer;
pub mod report;
mod sanitize;
pub mod streams;
mod styles;
mod table;
pub mod terminal;

pub use format::Format;
pub use printer::{Closed, Printer, written};
pub use sanitize::{brief, clean, one_line};
pub use styles::{Color, Line, Role};
pub use table::{Column, Table, duration};
