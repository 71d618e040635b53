//! The only place that prints. It knows no subject.

pub mod json;
mod printer;
mod sanitize;
mod styles;
mod table;

pub use printer::{Closed, Printer};
pub use sanitize::{brief, clean, one_line};
pub use styles::{Color, Line, Role};
pub use table::{Column, Table, duration};
