//! The lesson: five questions that are answered by experiment. Pure: what was seen, what it comes to, and the words for it.

pub mod question;
