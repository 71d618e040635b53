//! The only place that prints. It knows no subject.

mod failure;
mod format;
mod printer;
pub mod streams;
mod styles;
mod table;
pub mod terminal;

pub use failure::report;
pub use format::Format;
pub use printer::{Closed, Printer, written};
pub use styles::{Color, Line, Role};
pub use table::{Column, Table, beside};
