//! What the tests of this folder have in common.

#[path = "../../../../tests/support/certificates.rs"]
pub mod certificates;
