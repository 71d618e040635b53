//! The rows: the user's own, and the marked ones that a run writes and deletes.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// What the ids of marked rows begin with.
const MARK: &str = "kubecoin-demo-";
/// What the ids of marked rows begin with that are to stay.
const KEPT: &str = "kubecoin-kept-";

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its key.
    pub id: String,
    /// The MD5 of all its columns, made by PostgreSQL.
    pub sum: String,
    /// Its balance, for people.
    pub balance: String,
    /// When the application changed it last.
    pub updated: String,
}

/// All rows, each as JSON on one line.
pub const READ: &str = "\
SELECT json_build_object('id', id, 'sum', md5(w::text), 'balance', coalesce(balance::text, 'NULL'),
                         'updated', coalesce(updated_at::text, 'NULL'))
FROM public.wallets AS w ORDER BY id COLLATE \"C\";
";

/// The rows whose ids begin with `:mark`, each as JSON on one line.
pub const READ_MARKED: &str = "\
SELECT json_build_object('id', id, 'sum', md5(w::text), 'balance', coalesce(balance::text, 'NULL'),
                         'updated', coalesce(updated_at::text, 'NULL'))
FROM public.wallets AS w WHERE starts_with(id, :'mark') ORDER BY id COLLATE \"C\";
";

/// Writes `:rows` marked rows whose ids begin with `:mark`.
pub const WRITE: &str = "\
INSERT INTO public.wallets (id, balance, coins)
SELECT :'mark' || lpad(n::text, 6, '0'), 1000 + n, n FROM generate_series(1, :rows) AS n;
";

/// Takes the rows away whose ids begin with `:mark` or `:kept`, and says how many there were: none where the table is gone.
/// It is psql that tells so; many an error says of something else that it does not exist. The first row goes before all others: a
/// writer holds it while it writes one more, which would be missed by a deletion that has begun before.
pub const CLEAN: &str = "\
SELECT to_regclass('public.wallets') IS NOT NULL AS there \\gset
\\if :there
WITH gone AS (DELETE FROM public.wallets WHERE id IN (:'mark' || '000001', :'kept' || '000001') RETURNING 1)
SELECT count(*) AS first FROM gone \\gset
WITH gone AS (DELETE FROM public.wallets WHERE starts_with(id, :'mark') OR starts_with(id, :'kept') RETURNING 1)
SELECT count(*) + :first FROM gone;
\\else
\\echo 0
\\endif
";

/// Takes the marked rows of runs away that ended without doing so, and says how many there were. The first ones go first, as above.
pub const SWEEP: &str = "\
WITH gone AS (DELETE FROM public.wallets WHERE id ~ '^kubecoin-demo-[0-9a-f]{8}-000001$' RETURNING 1)
SELECT count(*) AS first FROM gone \\gset
WITH gone AS (DELETE FROM public.wallets WHERE id ~ '^kubecoin-demo-[0-9a-f]{8}-[0-9]{6}$' RETURNING 1)
SELECT count(*) + :first FROM gone;
";

/// In place of a time that a row does not have.
const NO_TIME: &str = "NULL";

/// The id of a run: eight hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run(String);

impl Run {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        Self(format!("{:08x}", rand::random::<u32>()))
    }

    /// What the ids of its marked rows begin with.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{MARK}{}-", self.0)
    }

    /// What they begin with if they are to stay.
    #[must_use]
    pub fn kept_mark(&self) -> String {
        format!("{KEPT}{}-", self.0)
    }

    /// Whether a row is one of its own.
    #[must_use]
    pub fn wrote(&self, id: &str) -> bool {
        id.starts_with(&self.mark()) || id.starts_with(&self.kept_mark())
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Run {
    fn default() -> Self {
        Self::new()
    }
}

impl std::str::FromStr for Run {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_one = text.len() == 8 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_one {
            Ok(Self(text.to_owned()))
        } else {
            Err("a run's id is eight digits of 0 to 9 and a to f".to_owned())
        }
    }
}

/// Whether a row is one of some run's that takes its rows away. Nothing follows from such a row of another run: that may be in
/// progress.
#[must_use]
pub fn is_passing(id: &str) -> bool {
    let Some((run, number)) = id.strip_prefix(MARK).and_then(|rest| rest.split_once('-')) else { return false };
    run.parse::<Run>().is_ok() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads what `READ` wrote.
///
/// # Errors
/// If it is something else.
pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> anyhow::Result<Vec<Row>> {
    lines.map(|line| serde_json::from_str(line).with_context(|| format!("not a row: {line}"))).collect()
}

/// What became of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The same as before.
    pub same: Vec<Row>,
    /// Changed, with another time of change: as the application does.
    pub updated: Vec<String>,
    /// Changed without another time of change, or with an earlier one.
    pub altered: Vec<String>,
    /// Not there any more.
    pub lost: Vec<String>,
    /// There more than once.
    pub doubled: Vec<String>,
    /// New.
    pub added: Vec<String>,
}

/// Holds rows against the same ones later.
#[must_use]
pub fn compare<'a>(before: impl Iterator<Item = &'a Row>, after: impl Iterator<Item = &'a Row>) -> Difference {
    let mut difference = Difference::default();
    let mut later: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in after {
        if later.insert(&row.id, row).is_some() {
            difference.doubled.push(row.id.clone());
        }
    }
    for row in before {
        match later.remove(row.id.as_str()) {
            None => difference.lost.push(row.id.clone()),
            Some(now) if now.sum == row.sum => difference.same.push(row.clone()),
            // PostgreSQL writes times so that their order is that of the letters.
            Some(now) if now.updated > row.updated && now.updated != NO_TIME => difference.updated.push(row.id.clone()),
            Some(_) => difference.altered.push(row.id.clone()),
        }
    }
    difference.added = later.into_keys().map(str::to_owned).collect();
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, sum: &str, updated: &str) -> Row {
        Row { id: id.into(), sum: sum.into(), balance: "1000.00".into(), updated: updated.into() }
    }

    #[test]
    fn every_fate_of_a_row_is_told() {
        let before = [
            row("a", "1", "2026-01-01"),
            row("b", "2", "2026-01-01"),
            row("c", "3", "2026-01-01"),
            row("d", "4", "2026-01-01"),
            row("f", "9", "2026-01-01"),
        ];
        let after = [
            row("a", "1", "2026-01-01"),
            row("b", "9", "2026-01-01"),
            row("d", "9", "2026-01-02"),
            row("e", "5", "2026-01-01"),
            row("f", "8", "2025-01-01"),
        ];
        let difference = compare(before.iter(), after.iter().chain(&after[..1]));
        assert_eq!(difference.same, before[..1]);
        assert_eq!(difference.altered, ["b", "f"], "an older state has an older time");
        assert_eq!(difference.updated, ["d"]);
        assert_eq!(difference.lost, ["c"]);
        assert_eq!(difference.added, ["e"]);
        assert_eq!(difference.doubled, ["a"]);
    }

    #[test]
    fn only_ids_of_runs_are_taken() {
        let run: Run = "0123abcd".parse().unwrap();
        assert!(run.wrote("kubecoin-demo-0123abcd-000001") && run.wrote("kubecoin-kept-0123abcd-000001"));
        assert!(!run.wrote("anna") && !run.wrote("kubecoin-demo-0123abce-000001"));
        assert!(is_passing("kubecoin-demo-0123abce-000001") && !is_passing("kubecoin-kept-0123abce-000001"));
        assert!(!is_passing("kubecoin-demo-0123abce-") && !is_passing("kubecoin-demo-anna-1") && !is_passing("anna"));
        for wrong in ["", "%", "0123ABCD", "0123abcd1", "'; DROP"] {
            assert!(wrong.parse::<Run>().is_err(), "{wrong}");
        }
        assert!(Run::new().as_str().parse::<Run>().is_ok());
    }

    #[test]
    fn what_psql_writes_is_read() {
        let line = r#"{"id" : "a\nb", "sum" : "x", "balance" : "1000.00", "updated" : "NULL"}"#;
        assert_eq!(parse([line].into_iter()).unwrap()[0].id, "a\nb");
        assert!(parse(["psql: error"].into_iter()).is_err());
    }
}
