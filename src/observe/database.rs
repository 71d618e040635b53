//! The database, as it says of itself.

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use serde::Deserialize;

use super::{Reading, Reason};
use crate::exchange::wallets::Column;
use crate::exchange::{names, psql, scram};
use crate::kubernetes::act::Act;
use crate::kubernetes::exec::Ended;
use crate::kubernetes::{Cause, Cluster, RequestError};

/// What the database says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Database {
    /// When the server started.
    pub started_at: Timestamp,
    /// Bytes on disk.
    pub size: u64,
    /// The columns of the table `wallets`; none if there is no such table.
    pub columns: Option<Vec<Column>>,
    /// Whether the table has its index.
    pub index: bool,
    /// How many rows the table has; none if there is no such table.
    #[serde(skip)]
    pub rows: Option<u64>,
}

/// Writes the description as JSON on one line and, if there is a table, the number of its rows on the next.
const DESCRIBE: &str = "\
SELECT json_build_object(
  'started_at', pg_postmaster_start_time(),
  'size', pg_database_size(current_database()),
  'index', to_regclass('public.idx_wallets_id') IS NOT NULL,
  'columns', (
    SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod),
                                      'default', pg_get_expr(adbin, adrelid)) ORDER BY attnum)
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = to_regclass('public.wallets') AND attnum > 0 AND NOT attisdropped));
SELECT to_regclass('public.wallets') IS NOT NULL AS there \\gset
\\if :there
SELECT count(*) FROM public.wallets;
\\endif
";

impl Database {
    /// The act that asks the server of a pod for the description.
    #[must_use]
    pub fn ask(pod: &str) -> impl Act<Done = Ended> {
        psql::script(pod, DESCRIBE)
    }

    /// Reads the description in what psql wrote.
    ///
    /// # Errors
    /// If psql failed, with its words, or wrote something else.
    pub fn parse(ended: &Ended) -> anyhow::Result<Self> {
        anyhow::ensure!(ended.code == 0, "psql ended with exit code {}: {}", ended.code, ended.stderr.trim());
        let mut lines = ended.stdout.lines().filter(|line| !line.is_empty());
        // psql breaks the JSON into lines only where the statement does not: it is one row.
        let mut database: Self = serde_json::from_str(lines.next().context("psql wrote nothing")?)?;
        database.rows = lines.next().map(str::parse).transpose()?;
        Ok(database)
    }

    /// Asks the database. If it does not say, it is unknown.
    pub async fn read(cluster: &Cluster, pod: &str) -> Reading<Self> {
        match Self::ask(pod).execute(cluster).await {
            Ok(ended) => match Self::parse(&ended) {
                Ok(database) => Reading::Present(database),
                Err(error) => Reading::Unknown(Reason::Failed(error.to_string())),
            },
            Err(error) if matches!(error.cause, Cause::NotFound(_)) => Reading::Absent,
            Err(error) => Reading::Unknown(error.into()),
        }
    }
}

/// Whether PostgreSQL takes a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// It does.
    Accepted,
    /// It does not: the volume remembers the password of the server's first start.
    Refused,
}

impl Credentials {
    /// Holds what PostgreSQL keeps of the password against a Secret: also one that no pod of the database was given.
    pub async fn of_secret(cluster: &Cluster, pod: &str, name: &str) -> Reading<Self> {
        let login = match Login::read(cluster, name).await {
            Ok(Some(login)) => login,
            Ok(None) => return Reading::Absent,
            Err(error) => return Reading::Unknown(error.into()),
        };
        match psql::verifier_of(pod, &login.role).execute(cluster).await {
            Ok(ended) if ended.code == 0 && scram::is_of(ended.stdout.trim(), &login.password) => {
                Reading::Present(Self::Accepted)
            }
            Ok(ended) if ended.code == 0 => Reading::Present(Self::Refused),
            Ok(ended) => Reading::Unknown(Reason::Failed(ended.stderr.trim().to_owned())),
            Err(error) => Reading::Unknown(error.into()),
        }
    }

    /// Tries the password that the pod was given at the pod's own address. At 127.0.0.1 and at the socket the official
    /// image trusts everyone.
    pub async fn read(cluster: &Cluster, pod: &str, address: &str) -> Reading<Self> {
        match psql::at_address(pod, address, "SELECT 1;").execute(cluster).await {
            Ok(ended) if ended.code == 0 => Reading::Present(Self::Accepted),
            Ok(ended) if ended.stderr.contains("password authentication failed") => Reading::Present(Self::Refused),
            Ok(ended) => Reading::Unknown(Reason::Failed(ended.stderr.trim().to_owned())),
            Err(error) => Reading::Unknown(error.into()),
        }
    }
}

/// What a Secret of the exchange holds.
pub struct Login {
    pub role: String,
    /// Its password. It is not for eyes.
    pub password: String,
}

impl Login {
    /// Reads it, if there is such a Secret and it holds both.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn read(cluster: &Cluster, name: &str) -> Result<Option<Self>, RequestError> {
        let data = cluster.get::<Secret>(name).await?.and_then(|secret| secret.data).unwrap_or_default();
        let text = |key: &str| data.get(key).and_then(|bytes| String::from_utf8(bytes.0.clone()).ok());
        let both = text(names::SECRET_USERNAME).zip(text(names::SECRET_PASSWORD));
        Ok(both.map(|(role, password)| Self { role, password }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i32, stdout: &str) -> Ended {
        Ended { code, stdout: stdout.to_owned(), stderr: "psql: error".to_owned() }
    }

    #[test]
    fn a_description_with_and_without_a_table() {
        let with = r#"{"started_at":"2026-11-23T20:00:00.5+00:00","size":7000000,"index":true,"columns":[{"name":"id","type":"text","default":null}]}"#;
        let database = Database::parse(&ended(0, &format!("{with}\n3\n"))).unwrap();
        assert_eq!((database.rows, database.columns.unwrap().len()), (Some(3), 1));
        let without = r#"{"started_at":"2026-11-23T20:00:00+00:00","size":7000000,"index":false,"columns":null}"#;
        let database = Database::parse(&ended(0, &format!("{without}\n"))).unwrap();
        assert_eq!((database.rows, database.columns), (None, None));
    }

    #[test]
    fn a_failure_is_no_description() {
        for ended in [ended(2, ""), ended(0, ""), ended(0, "hello\n")] {
            assert!(Database::parse(&ended).is_err(), "{ended:?}");
        }
    }
}
