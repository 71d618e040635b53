//! psql in a pod of the database: the one way in which SQL is run.

use std::time::Duration;

use super::names;
use crate::kubernetes::act::{Act, Exec, command};
use crate::kubernetes::exec::Ended;
use crate::kubernetes::{Cluster, Place, RequestError};

/// How long a statement of this program may take. None of them reads more than a count.
const LIMIT: Duration = Duration::from_secs(20);

/// How long it may wait for somebody else's lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// What PostgreSQL says when that was too long.
pub const LOCKED: &str = "canceling statement due to lock timeout";

const OPTIONS: [&str; 7] = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-w"];

/// A script for psql, as one row a line with `|` between columns, stopped at the first error. It is read from stdin and
/// takes no values: what varies goes through psql's variables.
#[must_use]
pub fn script(pod: &str, sql: &str) -> Exec {
    exec(pod, &["psql"], &["-U", names::DATABASE_USER], sql)
}

/// The same, as a client that comes over the network, with the password that the container was given. At 127.0.0.1 and at the
/// socket the official image trusts everyone; a pod's own name leads to its address by `/etc/hosts`.
#[must_use]
pub fn over_network(pod: &str, sql: &str) -> Exec {
    let with_password =
        ["sh", "-c", r#"PGPASSWORD="$POSTGRES_PASSWORD" exec psql -U "$POSTGRES_USER" -h "$(hostname)" "$@""#, "sh"];
    exec(pod, &with_password, &[], sql)
}

/// A script at the server's socket, and beside it a login over the network, as above. The last line that is written says how the
/// login ended: its exit code and psql's words.
///
/// Both in one call: to start a program in a container takes longer than either.
#[must_use]
pub fn with_login(pod: &str, sql: &str) -> Exec {
    // What runs in the background is given another stdin, unless it is named.
    const BOTH: &str = r#"database=$1
shift
exec 3<&0
psql "$@" <&3 &
said=$(PGPASSWORD="$POSTGRES_PASSWORD" PGCONNECT_TIMEOUT=5 psql -X -w -U "$POSTGRES_USER" -h "$(hostname)" -d "$database" -c '' 2>&1)
login=$?
wait $!
script=$?
set -f
printf '%s ' "$login" $said
exit "$script""#;
    exec(pod, &["sh", "-c", BOTH, "sh", names::DATABASE], &["-U", names::DATABASE_USER], sql)
}

/// A script that takes values, each by the name of a variable: `:'name'` or `:name` in the SQL.
#[must_use]
pub fn with_values(pod: &str, values: &[(&str, &str)], sql: &str) -> Exec {
    let assigned: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut options = vec!["-U", names::DATABASE_USER];
    options.extend(assigned.iter().flat_map(|assigned| ["-v", assigned]));
    exec(pod, &["psql"], &options, sql)
}

/// Waits in the pod until the server answers, and then runs a script there. It waits for 127.0.0.1: a server that is still
/// initialising its directory answers at the socket alone. There it asks, where no member of a replicated database wants a
/// password.
#[must_use]
pub fn when_it_answers(pod: &str, sql: &str) -> Exec {
    const WAIT: &str = r#"n=0
until pg_isready -q -h 127.0.0.1; do
  n=$((n + 1))
  [ "$n" -lt 1200 ] || exit 3
  sleep 0.05
done
exec psql "$@""#;
    let script = exec(pod, &["sh", "-c", WAIT, "sh"], &["-U", names::DATABASE_USER], sql);
    Exec { limit: Duration::from_mins(2), ..script }
}

/// Stops the server at once, as a crash does: what is not in its log is lost. The container ends with it.
#[must_use]
pub fn crash(pod: &str) -> Exec {
    // The server is the user postgres's, whom root without CAP_KILL may not signal. Images have the one or the other.
    const STOP: &str = r#"set -- pg_ctl stop -m immediate -W -D "$PGDATA"
if [ "$(id -u)" = 0 ]; then
  if command -v gosu >/dev/null; then set -- gosu postgres "$@"
  else set -- setpriv --reuid postgres --regid postgres --clear-groups -- "$@"
  fi
fi
exec "$@""#;
    Exec {
        pod: pod.to_owned(),
        container: names::POSTGRES,
        command: ["sh", "-c", STOP].map(str::to_owned).into(),
        stdin: String::new(),
        limit: LIMIT,
    }
}

/// Makes the server take the password that the container was given. The password is in no argument and no text: psql
/// reads it from its environment.
#[must_use]
pub fn alter_password(pod: &str) -> Exec {
    script(
        pod,
        "\\getenv user POSTGRES_USER\n\\getenv password POSTGRES_PASSWORD\nALTER ROLE :\"user\" PASSWORD :'password';\n",
    )
}

/// The words with which a person lists the databases, by a connection to another one than the exchange's, which may be closed
/// or gone.
pub const LIST_DATABASES: [&str; 10] =
    ["exec", names::POSTGRES_POD, "--", "psql", "-U", names::DATABASE_USER, "-d", "postgres", "-c", r"\l"];

/// The variable by whose value a psql and its server's process are found again.
pub const MARK: &str = "PGAPPNAME";

/// Kills the psql of this mark before it begins anything else, and ends what the server does for it.
const END: &str = r#"
for process in /proc/[0-9]*; do
  if grep -qsxz "PGAPPNAME=$1" "$process/environ"; then kill -KILL "${process#/proc/}"; fi
done
shift
exec psql "$@""#;

/// Ends a psql that was left behind with its mark. None being there is no failure.
#[must_use]
pub fn end(pod: &str, mark: &str) -> Exec {
    let variable = format!("mark={mark}");
    let program = ["sh", "-c", END, "sh", mark];
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :'mark';";
    exec(pod, &program, &["-U", names::DATABASE_USER, "-v", &variable], sql)
}

/// The verifier that the server keeps of a role's password.
#[must_use]
pub fn verifier_of(pod: &str, role: &str) -> Exec {
    with_role(pod, role, "SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = :'role';\n")
}

/// The verifiers that the server keeps of the passwords of the roles that members use: a line for each, as `role|verifier`.
#[must_use]
pub fn verifiers_of_members(pod: &str) -> Exec {
    let roles = names::MEMBERS_ROLES.map(|(_, role)| format!("'{role}'")).join(", ");
    script(pod, &format!("SELECT rolname, rolpassword FROM pg_catalog.pg_authid WHERE rolname IN ({roles});\n"))
}

/// Makes the server take the password of a Secret. What it is sent, and may log, is a verifier.
#[derive(Clone, Debug)]
pub struct SetPassword {
    /// The pod of the server.
    pub pod: String,
    /// The Secret's name, for the command that does the same.
    pub secret: String,
    /// The key that holds the password there.
    pub key: &'static str,
    /// The role whose password it is.
    pub role: String,
    /// The verifier of the password.
    pub verifier: String,
}

impl Act for SetPassword {
    type Done = Ended;

    /// psql makes the verifier itself: `\\password` asks twice.
    fn kubectl(&self, place: &Place) -> String {
        let template = format!("{{{{.data.{}|base64decode}}}}", self.key);
        let secret = command(place, &["get", "secret", &self.secret, "-o", &format!("go-template={template}")]);
        let ask = format!("\\password {}", self.role);
        let psql = ["exec", "-i", &self.pod, "-c", names::POSTGRES, "--", "psql", "-X", "-U"];
        let psql = [&psql[..], &[names::DATABASE_USER, "-d", names::DATABASE, "-c", &ask]].concat();
        format!("p=$({secret}); printf '%s\\n%s\\n' \"$p\" \"$p\" | {}", command(place, &psql))
    }

    async fn execute(&self, cluster: &Cluster) -> Result<Ended, RequestError> {
        let verifier = &self.verifier;
        let sql = format!("\\set verifier '{verifier}'\nALTER ROLE :\"role\" PASSWORD :'verifier';\n");
        with_role(&self.pod, &self.role, &sql).execute(cluster).await
    }
}

/// A script about a role, whose name is `:'role'` there.
fn with_role(pod: &str, role: &str, sql: &str) -> Exec {
    exec(pod, &["psql"], &["-U", names::DATABASE_USER, "-v", &format!("role={role}")], sql)
}

fn exec(pod: &str, program: &[&str], options: &[&str], sql: &str) -> Exec {
    // Whoever stops waiting, by Ctrl-C too, leaves psql behind in the pod: it must not stay there for ever.
    let limit = LIMIT.as_secs() * 3 / 4;
    let patience = LOCK_TIMEOUT.as_secs();
    let words = [program, &OPTIONS, options, &["-d", names::DATABASE, "-f", "-"]].concat();
    Exec {
        pod: pod.to_owned(),
        container: names::POSTGRES,
        command: words.into_iter().map(str::to_owned).collect(),
        stdin: format!("SET statement_timeout = '{limit}s';\nSET lock_timeout = '{patience}s';\n{sql}"),
        limit: LIMIT,
    }
}
