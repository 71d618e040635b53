//! Faults inside PostgreSQL, whose pod is ready all the same.

use super::fault::Expects::Cause;
use super::fault::Mend::{By, ByHint};
use super::fault::{Fault, Harm};

/// A line of a script that begins a session, which stays when the script ends: once it has begun.
fn session(database: &str, statement: &str) -> String {
    format!("nohup psql -X -U postgres -d {database} -c '{statement}' </dev/null >/dev/null 2>&1 &\n")
}

pub const FAULTS: &[Fault] = &[
    Fault {
        what: "sessions hold all connections",
        make: |place| {
            place.sql("ALTER SYSTEM SET max_connections = 12; ALTER SYSTEM SET superuser_reserved_connections = 0;");
            place.kubectl("delete pod/postgres-0");
            place.kubectl("wait pod/postgres-0 --for=condition=Ready --timeout=3m");
            place.in_server(&(0..20).map(|_| session("postgres", "SELECT pg_sleep(3600)")).collect::<String>());
        },
        holds: |place| match place.sql_gives("SELECT 1;", "1") {
            Err(why) if why.contains("too many clients") => Ok(()),
            other => Err(format!("a client is let in: {other:?}")),
        },
        expects: Cause("no-connection-left"),
        harm: Harm::ByChance,
        mend: By("`ALTER SYSTEM RESET max_connections`, and a restart of PostgreSQL", |place| {
            place.kubectl("wait pod/postgres-0 --for=condition=Ready --timeout=3m");
            place.sql("ALTER SYSTEM RESET max_connections; ALTER SYSTEM RESET superuser_reserved_connections;");
            place.kubectl("delete pod/postgres-0");
        }),
    },
    Fault {
        what: "PostgreSQL listens to its own pod alone",
        make: |place| {
            place.sql("ALTER SYSTEM SET listen_addresses = 'localhost';");
            place.kubectl("delete pod/postgres-0");
        },
        holds: |place| place.sql_gives("SHOW listen_addresses;", "localhost"),
        expects: Cause("not-admitted"),
        harm: Harm::Now,
        mend: By("`ALTER SYSTEM RESET listen_addresses`, and a restart of PostgreSQL", |place| {
            place.sql("ALTER SYSTEM RESET listen_addresses;");
            place.kubectl("delete pod/postgres-0");
        }),
    },
    Fault {
        what: "PostgreSQL takes no new connections from other pods",
        make: |place| {
            place.in_server(
                r#"cp "$PGDATA/pg_hba.conf" /tmp/
                   sed -i 's/^host all all all .*/host all all all reject/' "$PGDATA/pg_hba.conf""#,
            );
            place.sql("SELECT pg_reload_conf();");
        },
        holds: |place| place.sql_gives("SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'reject';", "1"),
        expects: Cause("not-admitted"),
        harm: Harm::ByChance,
        mend: By("the line that `pg_hba.conf` had before, and `SELECT pg_reload_conf()`", |place| {
            place.in_server(r#"cat /tmp/pg_hba.conf >"$PGDATA/pg_hba.conf""#);
            place.sql("SELECT pg_reload_conf();");
        }),
    },
    Fault {
        what: "the database lets nobody in",
        make: |place| place.sql_as("postgres", "postgres", "ALTER DATABASE kubecoin ALLOW_CONNECTIONS false;"),
        holds: |place| match place.sql_gives("SELECT 1;", "1") {
            Err(why) if why.contains("not currently accepting connections") => Ok(()),
            other => Err(format!("a client is let in: {other:?}")),
        },
        expects: Cause("not-admitted"),
        harm: Harm::ByChance,
        mend: By("`ALTER DATABASE kubecoin ALLOW_CONNECTIONS true`", |place| {
            place.sql_as("postgres", "postgres", "ALTER DATABASE kubecoin ALLOW_CONNECTIONS true;");
        }),
    },
    Fault {
        what: "the database is renamed",
        make: |place| {
            let rename = "
                ALTER DATABASE kubecoin ALLOW_CONNECTIONS false;
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'kubecoin';
                ALTER DATABASE kubecoin RENAME TO another;
                ALTER DATABASE another ALLOW_CONNECTIONS true;";
            place.sql_as("postgres", "postgres", rename);
        },
        holds: |place| match place.sql_gives("SELECT 1;", "1") {
            Err(why) if why.contains("does not exist") => Ok(()),
            other => Err(format!("it is there: {other:?}")),
        },
        expects: Cause("database-silent"),
        harm: Harm::Now,
        mend: By("`ALTER DATABASE another RENAME TO kubecoin`", |place| {
            place.sql_as("postgres", "postgres", "ALTER DATABASE another RENAME TO kubecoin;");
        }),
    },
    Fault {
        what: "the backend's role may not log in",
        make: |place| place.sql("CREATE ROLE rescue SUPERUSER LOGIN; ALTER ROLE postgres NOLOGIN;"),
        holds: |place| match place.sql_gives("SELECT 1;", "1") {
            Err(why) if why.contains("not permitted to log in") => Ok(()),
            other => Err(format!("it may: {other:?}")),
        },
        expects: Cause("role-refused"),
        harm: Harm::ByChance,
        mend: By("its hint, as another superuser", |place| place.sql("DROP ROLE rescue;")),
    },
    Fault {
        what: "PostgreSQL has another password than the Secret",
        make: |place| place.sql("ALTER ROLE postgres PASSWORD 'another';"),
        holds: |_| Ok(()),
        expects: Cause("credentials-refused"),
        harm: Harm::ByChance,
        mend: ByHint,
    },
    Fault {
        what: "the database takes no writes",
        make: |place| place.sql("ALTER DATABASE kubecoin SET default_transaction_read_only = on;"),
        holds: |place| place.sql_gives("SHOW default_transaction_read_only;", "on"),
        expects: Cause("read-only"),
        harm: Harm::ByChance,
        mend: ByHint,
    },
    Fault {
        what: "a transaction that was left open locks the table",
        make: |place| {
            place.in_server(&session("kubecoin", "BEGIN; LOCK TABLE wallets; SELECT pg_sleep(3600)"));
        },
        holds: |place| {
            let held = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
                        WHERE mode = 'AccessExclusiveLock' AND granted AND wait_event = 'PgSleep'
                          AND clock_timestamp() - xact_start > interval '3 s';";
            place.sql_gives(held, "1")
        },
        expects: Cause("writes-blocked"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the table is dropped",
        make: |place| place.sql("DROP TABLE wallets;"),
        holds: |place| place.sql_gives("SELECT to_regclass('wallets') IS NULL;", "t"),
        expects: Cause("table-missing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the table's index is dropped",
        make: |place| place.sql("DROP INDEX idx_wallets_id;"),
        holds: |place| place.sql_gives("SELECT to_regclass('idx_wallets_id') IS NULL;", "t"),
        expects: Cause("table-missing"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "a column of the table is renamed",
        make: |place| place.sql("ALTER TABLE wallets RENAME COLUMN coins TO tokens;"),
        holds: |place| place.sql_gives("SELECT count(*) FROM pg_attribute WHERE attname = 'tokens';", "1"),
        expects: Cause("table-different"),
        harm: Harm::Now,
        mend: By("`ALTER TABLE wallets RENAME COLUMN tokens TO coins`", |place| {
            place.sql("ALTER TABLE wallets RENAME COLUMN tokens TO coins;");
        }),
    },
];
