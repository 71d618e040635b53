use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::deployed::{deployed, sql};
use crate::support::kubectl;
use crate::support::plugin::{Ran, command, ends, start};
use crate::support::scene::Scene;
use crate::support::terminal::{Terminal, has_gone, left_behind};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// `psql` with these arguments, which are not split, and this stdin.
fn psql(namespace: &str, arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child = command(namespace, "psql")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A psql that ends without reading its stdin is judged by how it ends.
        scope.spawn(move || drop(to.write_all(stdin)));
        child.wait_with_output().unwrap()
    })
}

/// The same as text, which must end with this exit code.
fn psql_ends(namespace: &str, arguments: &[&str], stdin: &str, code: i32) -> Ran {
    let ran = Ran::from(psql(namespace, arguments, stdin.as_bytes()));
    assert_eq!(ran.code, code, "{arguments:?}\n{}{}", ran.stdout, ran.stderr);
    ran
}

#[test]
fn bytes_and_exit_codes_go_through() {
    let absent = Scene::without_namespace("kc-plugin-nothing");
    let nothing = ends(absent.namespace(), "psql -c nothing", 2);
    assert!(nothing.stderr.contains("namespace/kc-plugin-nothing does not exist"), "{}", nothing.stderr);
    assert!(nothing.stderr.contains("kubectl kubecoin deploy --create-namespace"), "{}", nothing.stderr);

    let scene = deployed("kc-plugin-psql");
    let namespace = scene.namespace();
    exit_codes(namespace);
    much_at_once(namespace);
    copies(namespace);

    let mut busy = start(namespace, "psql -c SELECT/**/pg_sleep(600)");
    until("psql is busy", SOON, || left_behind(namespace).map_or(Ok(()), |()| Err("not yet".to_owned())));
    kill(Pid::from_raw(busy.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(busy.wait().unwrap().code(), Some(130));
    has_gone(namespace);

    kubectl::ok(&format!("scale statefulset postgres --replicas=0 -n {namespace}"));
    kubectl::ok(&format!("wait --for=delete pod/postgres-0 -n {namespace} --timeout=120s"));
    let gone = ends(namespace, "psql -c nothing", 2);
    assert!(gone.stderr.contains("pods \"postgres-0\" not found"), "{}", gone.stderr);
    assert!(gone.stderr.contains("is scaled to 0"), "{}", gone.stderr);
}

fn exit_codes(namespace: &str) {
    let shown = psql_ends(namespace, &["-c", "SELECT 6 * 7", "--show-commands", "--", "-A", "-t"], "", 0);
    assert_eq!(shown.stdout, "42\n");
    assert!(
        shown.stderr.contains("exec postgres-0 -c postgres -- psql -U postgres -d kubecoin -c"),
        "{}",
        shown.stderr
    );
    let failed = psql_ends(namespace, &["-c", "SELECT nope"], "", 1);
    assert!(failed.stderr.starts_with("ERROR:  column \"nope\""), "{}", failed.stderr);
    let elsewhere = psql_ends(namespace, &["-c", "SELECT 1", "--", "-p", "9999"], "", 2);
    assert!(elsewhere.stderr.contains(".s.PGSQL.9999"), "{}", elsewhere.stderr);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a script.sql");
    fs::write(&file, "\\echo one\nSELECT nope;\n\\echo two\n").unwrap();
    let file = file.to_str().unwrap();
    let script = psql_ends(namespace, &["-f", file, "--", "-v", "ON_ERROR_STOP=1"], "", 3);
    assert_eq!(script.stdout, "one\n");
    assert!(script.stderr.contains(":2: ERROR:"), "{}", script.stderr);
    assert_eq!(psql_ends(namespace, &["-f", file], "", 0).stdout, "one\ntwo\n");
    assert_eq!(psql_ends(namespace, &["-f", "-"], "\\echo three\n", 0).stdout, "three\n");
    assert_eq!(psql_ends(namespace, &[], "\\echo four\n", 0).stdout, "four\n");
    let missing = psql_ends(namespace, &["-f", "/nowhere.sql"], "", 2);
    assert!(missing.stderr.contains("could not read /nowhere.sql"), "{}", missing.stderr);
}

/// 256 MB that psql gives back while it gets them.
fn much_at_once(namespace: &str) {
    let mut bytes = vec![0; 256 << 20];
    fs::File::open("/dev/urandom").and_then(|mut random| std::io::Read::read_exact(&mut random, &mut bytes)).unwrap();
    let back = psql(namespace, &["-c", "\\! cat /dev/stdin"], &bytes);
    assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    assert_eq!(checksum(&back.stdout), checksum(&bytes), "{} bytes came back", back.stdout.len());
}

fn checksum(bytes: &[u8]) -> String {
    let mut program = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    program.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(program.wait_with_output().unwrap().stdout).unwrap()
}

/// Rows into a table and out of it, also through a file of a script.
fn copies(namespace: &str) {
    sql(namespace, "CREATE TABLE copied(number int, bytes bytea);");
    let make = "COPY (SELECT n, decode(repeat(lpad(to_hex(n % 256), 2, '0'), 1000), 'hex') FROM generate_series(1, 5000) n) TO STDOUT BINARY";
    let out = psql(namespace, &["-c", make], b"");
    assert!(out.status.success() && out.stdout.len() > 5_000_000, "{} bytes", out.stdout.len());
    let copied = psql(namespace, &["-c", "COPY copied FROM STDIN BINARY"], &out.stdout);
    assert_eq!(String::from_utf8_lossy(&copied.stdout), "COPY 5000\n");
    let again = psql(namespace, &["-c", "COPY copied TO STDOUT BINARY"], b"");
    assert!(again.stdout == out.stdout, "{} bytes of {}", again.stdout.len(), out.stdout.len());
}

#[test]
fn a_person_has_a_terminal_and_gets_it_back() {
    let scene = deployed("kc-plugin-terminal");
    let namespace = scene.namespace();

    let mut terminal = Terminal::open(namespace);
    terminal.types("\\! stty size");
    terminal.shows("33 99\r\n");
    let resized = Command::new("stty").args(["-F", &terminal.device, "rows", "41", "cols", "107"]).status().unwrap();
    assert!(resized.success());
    until("psql knows the new size", SOON, || {
        terminal.types("\\! stty size");
        let shown = terminal.shows("kubecoin=# ");
        if shown.contains("41 107\r\n") { Ok(()) } else { Err(shown) }
    });
    terminal.types("SELECT 'never', pg_sleep(600);");
    until("the query runs", SOON, || {
        match sql(namespace, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT ''never%';").as_str() {
            "1" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
    terminal.session.send("\u{3}").unwrap();
    terminal.session.flush().unwrap();
    terminal.shows("canceling statement due to user request");
    terminal.types("SELECT 6 * 7 AS answer;");
    terminal.shows("42\r\n");
    terminal.types("\\q");
    let shown = terminal.ends(0);
    assert!(!shown.contains("history"), "{shown}");
    has_gone(namespace);

    let terminal = Terminal::open(namespace);
    kill(terminal.pid, Signal::SIGTERM).unwrap();
    let shown = terminal.ends(130);
    assert!(shown.contains("interrupted"), "{shown}");
    has_gone(namespace);

    // A terminal that is closed takes psql with it.
    drop(Terminal::open(namespace));
    has_gone(namespace);
}
