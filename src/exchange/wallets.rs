//! The table of the wallets, as the lesson has it.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// Creates the table and its index, unless they exist, for whom the database belongs to: of one server that is the role of this
/// session. Two of these at once take turns: `IF NOT EXISTS` looks only at what is
/// there already, and of two tables that are being made under one name PostgreSQL refuses the later. The lock's number means
/// nothing; `\gset` keeps its answer out of the output.
pub const CREATE: &str = "\
SELECT quote_ident(pg_get_userbyid(datdba)) AS owner FROM pg_database WHERE datname = current_database() \\gset
SET ROLE :owner;
BEGIN;
SELECT pg_advisory_xact_lock(20251123) \\gset
CREATE TABLE IF NOT EXISTS wallets (
  id VARCHAR(255) PRIMARY KEY,
  balance DECIMAL(15,2) DEFAULT 1000.00,
  coins DECIMAL(15,2) DEFAULT 0.00,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_wallets_id ON wallets(id);
COMMIT;
";

/// A column: its name, its type as PostgreSQL spells it, and its default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// Its type, as `format_type` gives it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its default as an expression; none if it has none.
    pub default: Option<String>,
}

impl Display for Column {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)?;
        match &self.default {
            Some(default) => write!(f, " DEFAULT {default}"),
            None => Ok(()),
        }
    }
}

/// The columns that `CREATE` makes.
#[must_use]
pub fn columns() -> Vec<Column> {
    let column = |name: &str, kind: &str, default: Option<&str>| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        default: default.map(str::to_owned),
    };
    vec![
        column("id", "character varying(255)", None),
        column("balance", "numeric(15,2)", Some("1000.00")),
        column("coins", "numeric(15,2)", Some("0.00")),
        column("created_at", "timestamp without time zone", Some("CURRENT_TIMESTAMP")),
        column("updated_at", "timestamp without time zone", Some("CURRENT_TIMESTAMP")),
    ]
}

/// What distinguishes a table's columns from the lesson's, as sentences. Empty if nothing does.
#[must_use]
pub fn differences(there: &[Column]) -> Vec<String> {
    let wanted = columns();
    let find = |among: &[Column], name: &str| among.iter().find(|column| column.name == name).cloned();
    let mut all = Vec::new();
    for column in &wanted {
        match find(there, &column.name) {
            None => all.push(format!("column {} is missing: {column}", column.name)),
            Some(other) if other != *column => all.push(format!("column {} is `{other}`, not `{column}`", column.name)),
            Some(_) => {}
        }
    }
    let added = there.iter().filter(|column| find(&wanted, &column.name).is_none());
    all.extend(added.map(|column| format!("column {} is not the lesson's: {column}", column.name)));
    all
}

/// The id of a wallet, as the exchange takes it.
///
/// # Errors
/// If it can be none.
pub fn id(text: &str) -> Result<String, String> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || ".-_".contains(character);
    // `.` and `..` are not left in an address.
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) && text != "." && text != ".." {
        Ok(text.to_owned())
    } else {
        Err("an id has 1 to 64 letters, digits, dots, dashes and underscores".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_difference_is_said() {
        assert!(differences(&columns()).is_empty());
        let mut other = columns();
        other.remove(4);
        other[1].kind = "integer".to_owned();
        other.push(Column { name: "mood".to_owned(), kind: "text".to_owned(), default: None });
        let said = differences(&other);
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("balance integer"), "{said:?}");
        assert!(said[1].contains("updated_at is missing"), "{said:?}");
        assert!(said[2].contains("mood"), "{said:?}");
    }

    #[test]
    fn ids_are_those_that_the_exchange_takes() {
        for good in ["anna", "A.b_c-9", "...", &"x".repeat(64)] {
            assert!(id(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "ä", "a b", &"x".repeat(65)] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }
}
