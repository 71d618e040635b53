//! The table's rows, by hand.

mod address;
mod credentials;
mod files;
mod flags;
mod login;
mod pod;
mod trust;
mod yaml;

use super::row::{Row, usual};

/// The fields of a cluster that is reached.
const NORTH: &str = "server: <server>, certificate-authority: <ca>";

/// The field of a user who is known.
const TOKEN: &str = "token: <token>";

/// All rows.
pub fn rows() -> Vec<Row> {
    [rows_of_users(), files::rows(), yaml::rows(), address::rows(), trust::rows(), pod::rows()].concat()
}

/// The rows that decide who one is.
pub fn rows_of_users() -> Vec<Row> {
    [credentials::rows(), login::rows(), flags::rows()].concat()
}

/// The usual kubeconfig with other fields of its user.
fn user(name: &str, fields: &str) -> Row {
    usual(name, NORTH, fields)
}

/// The usual kubeconfig with other fields of its cluster.
fn cluster(name: &str, fields: &str) -> Row {
    usual(name, fields, TOKEN)
}
