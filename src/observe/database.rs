//! The database, as it says of itself.

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use serde::{Deserialize, Serialize};

use super::{Reading, Reason};
use crate::exchange::wallets::Column;
use crate::exchange::{names, psql, scram};
use crate::kubernetes::act::Act;
use crate::kubernetes::exec::Ended;
use crate::kubernetes::{Cause, Cluster, RequestError};

/// What the database says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// When the server started.
    pub started_at: Timestamp,
    /// Bytes on disk.
    pub size: u64,
    /// The columns of the table `wallets`; none if there is no such table, or it is locked.
    pub columns: Option<Vec<Column>>,
    /// Whether the table has its index.
    pub index: bool,
    /// Whether it follows another server, and takes no writes.
    pub in_recovery: bool,
    /// Where the setting comes from that keeps the lesson's role from writing; none if nothing does.
    pub read_only: Option<String>,
    /// Who has kept all others from writing to the table for `PATIENCE` and longer.
    pub blockers: Vec<Blocker>,
    /// How many rows the table has; none if there is no such table, or it is locked.
    pub rows: Option<u64>,
    /// Whether somebody has locked the table, so that nothing else is known of it.
    #[serde(default)]
    pub locked: bool,
    /// Bytes that are free where its files are; none if that could not be seen.
    pub free: Option<u64>,
}

/// A session that keeps others from writing to the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// Its process, as the server numbers it.
    pub pid: i32,
    /// The lock that it has, or waits for before others: `ExclusiveLock`.
    pub mode: String,
    /// For how long its transaction has run, in whole seconds.
    pub seconds: u64,
}

/// Writes, a line each: the free space, the description and the columns as JSON, and, if there is a table, the number of its
/// rows. A table that somebody has locked ends it before the columns. Locks of less than 3 s are what every change of a table
/// takes.
const DESCRIBE: &str = "\
SET lock_timeout = '1s';
\\set free `stat -f -c '%a %S' \"$PGDATA\" 2>/dev/null`
\\echo :free
SELECT json_build_object(
  'started_at', pg_postmaster_start_time(),
  'size', pg_database_size(current_database()),
  'index', to_regclass('public.idx_wallets_id') IS NOT NULL,
  'in_recovery', pg_is_in_recovery(),
  'read_only', (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = 'on'),
  'blockers', (
    SELECT coalesce(json_agg(json_build_object('pid', pid, 'mode', mode, 'seconds', seconds) ORDER BY seconds DESC), '[]')
    FROM (SELECT DISTINCT ON (pid) pid, mode, floor(extract(epoch FROM clock_timestamp() - xact_start))::bigint AS seconds
          FROM pg_locks JOIN pg_stat_activity USING (pid)
          WHERE relation = to_regclass('public.wallets') AND pid <> pg_backend_pid()
            AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
          ORDER BY pid, granted DESC) AS held
    WHERE seconds >= 3));
SELECT coalesce(json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod),
                                           'default', pg_get_expr(adbin, adrelid)) ORDER BY attnum)::text, 'null')
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = to_regclass('public.wallets') AND attnum > 0 AND NOT attisdropped;
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
        let locked = ended.stderr.contains(psql::LOCKED);
        anyhow::ensure!(ended.code == 0 || locked, "psql ended with exit code {}: {}", ended.code, ended.stderr.trim());
        let mut lines = ended.stdout.lines();
        let free = lines.next().context("psql wrote nothing")?;
        // psql breaks the JSON into lines only where the statement does not: it is one row.
        let mut database: Self = serde_json::from_str(lines.next().context("psql wrote no description")?)?;
        database.locked = locked;
        database.columns = lines.next().map(serde_json::from_str).transpose()?.flatten();
        database.rows = lines.next().map(str::parse).transpose()?;
        database.free = bytes(free);
        Ok(database)
    }

    /// Asks the database. If it does not say, it is unknown.
    pub async fn read(cluster: &Cluster, pod: &str) -> Reading<Self> {
        match Self::ask(pod).execute(cluster).await {
            Ok(ended) => Self::reading(&ended),
            Err(RequestError { cause: Cause::NotFound(_), .. }) => Reading::Absent,
            Err(error) => Reading::Unknown(error.into()),
        }
    }

    /// Asks it, and tries the password that the pod was given.
    pub async fn read_with_login(cluster: &Cluster, pod: &str) -> (Reading<Self>, Reading<Credentials>) {
        match psql::with_login(pod, DESCRIBE).execute(cluster).await {
            Ok(ended) => Self::reading_with_login(ended),
            Err(RequestError { cause: Cause::NotFound(_), .. }) => (Reading::Absent, Reading::Absent),
            Err(error) => {
                let reason = Reason::from(error);
                (Reading::Unknown(reason.clone()), Reading::Unknown(reason))
            }
        }
    }

    fn reading_with_login(ended: Ended) -> (Reading<Self>, Reading<Credentials>) {
        let (described, login) = ended.stdout.rsplit_once('\n').unwrap_or(("", &ended.stdout));
        let (code, words) = login.split_once(' ').unwrap_or_default();
        let credentials = Credentials::of_login(code.parse().ok(), words);
        let stdout = described.to_owned();
        (Self::reading(&Ended { stdout, ..ended }), credentials)
    }

    fn reading(ended: &Ended) -> Reading<Self> {
        match Self::parse(ended) {
            Ok(database) => Reading::Present(database),
            Err(error) => Reading::Unknown(Reason::Failed(error.to_string())),
        }
    }
}

/// The bytes of a number of blocks, and of how many bytes each is.
fn bytes(blocks: &str) -> Option<u64> {
    let (blocks, size) = blocks.trim().split_once(' ')?;
    blocks.parse::<u64>().ok()?.checked_mul(size.parse().ok()?)
}

/// Whether PostgreSQL takes a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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

    /// Tries the password that the pod was given.
    pub async fn read(cluster: &Cluster, pod: &str) -> Reading<Self> {
        match psql::over_network(pod, "SELECT 1;").execute(cluster).await {
            Ok(ended) => Self::of_login(Some(ended.code), &ended.stderr),
            Err(error) => Reading::Unknown(error.into()),
        }
    }

    /// What a login comes to that ended with this exit code and these words of psql's.
    fn of_login(code: Option<i32>, words: &str) -> Reading<Self> {
        match code {
            Some(0) => Reading::Present(Self::Accepted),
            _ if words.contains("password authentication failed") => Reading::Present(Self::Refused),
            _ => Reading::Unknown(Reason::Failed(words.trim().to_owned())),
        }
    }
}

/// A role of the database with its password, as a Secret holds them.
pub struct Login {
    pub role: String,
    /// The key of the Secret that holds the password.
    pub key: &'static str,
    /// The password. It is not for eyes.
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
        Ok(both.map(|(role, password)| Self { role, key: names::SECRET_PASSWORD, password }))
    }

    /// Those that the members of a replicated database use, if the Secret holds all of them.
    #[must_use]
    pub fn of_members(secret: &Secret) -> Option<Vec<Self>> {
        let text = |key: &str| String::from_utf8(secret.data.as_ref()?.get(key)?.0.clone()).ok();
        let all = names::MEMBERS_ROLES.into_iter();
        all.map(|(key, role)| Some(Self { role: role.to_owned(), key, password: text(key)? })).collect()
    }

    /// Whether what `psql::verifiers_of_members` wrote has a verifier of this password.
    #[must_use]
    pub fn is_in(&self, verifiers: &str) -> bool {
        let mut lines = verifiers.lines().filter_map(|line| line.split_once('|'));
        lines.any(|(role, verifier)| role == self.role && scram::is_of(verifier, &self.password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i32, stdout: &str) -> Ended {
        Ended { code, stdout: stdout.to_owned(), stderr: "psql: error".to_owned() }
    }

    const DESCRIBED: &str = r#"{"started_at":"2026-11-23T20:00:00.5+00:00","size":7000000,"index":true,"in_recovery":false,"read_only":null,"blockers":[]}"#;

    #[test]
    fn a_description_with_and_without_a_table() {
        let column = r#"[{"name":"id","type":"text","default":null}]"#;
        let database = Database::parse(&ended(0, &format!("512 4096\n{DESCRIBED}\n{column}\n3\n"))).unwrap();
        assert_eq!((database.rows, database.columns.unwrap().len(), database.free), (Some(3), 1, Some(2 << 20)));
        let database = Database::parse(&ended(0, &format!("\n{DESCRIBED}\nnull\n"))).unwrap();
        assert_eq!((database.rows, database.columns, database.free), (None, None, None));
    }

    #[test]
    fn a_table_that_somebody_has_locked_is_not_described() {
        let mut locked = ended(3, &format!("512 4096\n{DESCRIBED}\n"));
        assert!(Database::parse(&locked).is_err());
        locked.stderr = format!("psql:<stdin>:30: ERROR:  {}", psql::LOCKED);
        let database = Database::parse(&locked).unwrap();
        assert!(database.locked && database.rows.is_none() && database.columns.is_none());
    }

    #[test]
    fn a_login_is_told_by_the_last_line() {
        let described = format!("512 4096\n{DESCRIBED}\nnull\n");
        let reading = |end: &str| Database::reading_with_login(ended(0, &format!("{described}{end}")));
        let (database, credentials) = reading("0 ");
        assert_eq!(database.present().and_then(|database| database.free), Some(2 << 20));
        assert_eq!(credentials, Reading::Present(Credentials::Accepted));
        let (database, credentials) =
            reading("2 psql: error: FATAL: password authentication failed for user \"postgres\" ");
        assert!(database.present().is_some());
        assert_eq!(credentials, Reading::Present(Credentials::Refused));
        assert_eq!(
            reading("2 psql: error: FATAL: too many clients ").1,
            failed("psql: error: FATAL: too many clients")
        );
        let (database, credentials) = Database::reading_with_login(ended(137, ""));
        assert!(matches!(database, Reading::Unknown(_)) && matches!(credentials, Reading::Unknown(_)));
    }

    fn failed<T>(why: &str) -> Reading<T> {
        Reading::Unknown(Reason::Failed(why.to_owned()))
    }

    #[test]
    fn a_password_is_held_against_the_verifier_of_its_own_role() {
        let login = |role: &str| Login { role: role.to_owned(), key: "rewind", password: "kubecoin".to_owned() };
        let verifiers =
            format!("postgres|\nrewinder|{}\nreplicator|{}\n", scram::verifier("kubecoin"), scram::verifier("other"));
        assert!(login("rewinder").is_in(&verifiers));
        for refused in ["replicator", "postgres", "nobody"] {
            assert!(!login(refused).is_in(&verifiers), "{refused}");
        }
    }

    #[test]
    fn a_failure_is_no_description() {
        for ended in [ended(2, ""), ended(0, ""), ended(0, "hello\n")] {
            assert!(Database::parse(&ended).is_err(), "{ended:?}");
        }
    }
}
