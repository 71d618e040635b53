//! The bridge into a pod: one program, by exec, that looks names up as an application does and carries one connection to the
//! DNS server. Its stdout is the connection; on stderr it tells what it has found, in lines that begin with `#`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::dns::answer::{Answer, Kind, Record};
pub use crate::dns::heard::Hello;
use crate::dns::resolv::Resolv;
use crate::dns::wire::{self, Unframed};
use crate::kubernetes::exec::{Mode, PIECES, Program, Session, Streams};
use crate::kubernetes::{Cause, Cluster, RequestError};
use crate::text::one_line;

const SHELL: &str = include_str!("relay.sh");
const PYTHON: &str = include_str!("relay.py");

/// How long one answer may take. A resolver of an application gives up after as long.
const PATIENCE: Duration = Duration::from_secs(5);

/// The program in forms for pods with a shell, and for pods with Python alone.
fn programs() -> [Vec<String>; 2] {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    [words(&["sh", "-c", SHELL, "kubecoin-dns", PYTHON]), words(&["python3", "-c", PYTHON])]
}

/// An answer, for how long it may be kept, and how long it took.
pub type Reply = (Answer, Option<Duration>, Option<Duration>);

/// Runs the program and talks with it. What it says when it ends is given too: it may be why there was nothing to say.
async fn converse<T>(
    cluster: &Cluster,
    program: Program<'_>,
    talk: impl AsyncFnOnce(Pipe) -> T,
) -> Result<(T, Option<RequestError>), RequestError> {
    let session = Session::start(cluster, program, Mode::Pipes).await?;
    let (input, stdin) = mpsc::channel(PIECES);
    let (stdout, output) = mpsc::channel(PIECES);
    let (stderr, errors) = mpsc::channel(PIECES);
    let carry = session.join(Streams { stdin, stdout, stderr, size: None });
    let talk = talk(Pipe::new(input, output, errors));
    tokio::pin!(carry, talk);
    let mut failure = None;
    let mut carries = true;
    loop {
        tokio::select! { biased;
            said = &mut talk => return Ok((said, failure)),
            ended = &mut carry, if carries => (failure, carries) = (ended.err(), false),
        }
    }
}

/// How long the program may take to start.
const START: Duration = Duration::from_secs(15);

/// Talks through the first of the programs that the pod can run, if one of them can reach a server. If not, gives why.
///
/// # Errors
/// If none can be asked for at all.
pub async fn talk<T>(
    cluster: &Cluster,
    (pod, container): (&str, &str),
    talk: impl AsyncFn(&mut Pipe, &Hello) -> T,
) -> Result<Result<(Hello, T), String>, RequestError> {
    let mut why = String::new();
    for command in programs() {
        let program = Program { pod, container, command: &command };
        let (said, failure) = converse(cluster, program, async |mut pipe| {
            let hello = pipe.hello(Instant::now() + START).await;
            match hello {
                Some(hello) if hello.bridge.is_some() => {
                    let heard = talk(&mut pipe, &hello).await;
                    Ok((hello, heard))
                }
                Some(_) => Err("it has no nc, bash or python3".to_owned()),
                None => Err(pipe.said()),
            }
        })
        .await?;
        match (said, failure) {
            (Ok(heard), _) => return Ok(Ok(heard)),
            (Err(_), Some(error)) if !is_no_program(&error) => return Err(error),
            (Err(_), Some(error)) if error.cause.to_string().contains("executable file not found") => {
                "it has neither a shell nor python3".clone_into(&mut why);
            }
            (Err(said), Some(error)) => why = if said.is_empty() { error.cause.to_string() } else { said },
            (Err(said), None) => why = said,
        }
    }
    Ok(Err(why))
}

/// Whether the pod has no such program.
fn is_no_program(error: &RequestError) -> bool {
    matches!(error.cause, Cause::NotRun(_))
}

/// The program's streams, while it runs.
pub struct Pipe {
    input: mpsc::Sender<Bytes>,
    output: mpsc::Receiver<Bytes>,
    errors: mpsc::Receiver<Bytes>,
    text: Vec<u8>,
    told: Told,
    unframed: Unframed,
    number: u16,
    begun: Instant,
    patience: Duration,
}

/// What the program has told so far.
#[derive(Debug, Default)]
struct Told {
    hello: Hello,
    resolv: String,
    is_ready: bool,
    looked: BTreeMap<usize, (Answer, Duration)>,
    /// Why the connection is over.
    closed: Option<String>,
    /// What programs have said by themselves.
    said: String,
}

impl Pipe {
    fn new(input: mpsc::Sender<Bytes>, output: mpsc::Receiver<Bytes>, errors: mpsc::Receiver<Bytes>) -> Self {
        Self {
            input,
            output,
            errors,
            text: Vec::new(),
            told: Told::default(),
            unframed: Unframed::default(),
            number: 0,
            begun: Instant::now(),
            patience: PATIENCE,
        }
    }

    /// What the program says of the pod; nothing if it did not come so far.
    pub async fn hello(&mut self, deadline: Instant) -> Option<Hello> {
        while !self.told.is_ready {
            match timeout_at(deadline, self.errors.recv()).await {
                Ok(Some(piece)) => self.hear(&piece),
                Ok(None) | Err(_) => return None,
            }
        }
        self.told.hello.resolv = Resolv::parse(&self.told.resolv);
        Some(self.told.hello.clone())
    }

    /// What programs have said by themselves, on one line.
    #[must_use]
    pub fn said(&self) -> String {
        one_line(&self.told.said)
    }

    /// Opens the connection, and has names looked up meanwhile. Names that no host can have are passed over by libc itself.
    pub async fn begin(&mut self, server: IpAddr, names: &[&str]) {
        self.begun = Instant::now();
        let line = format!("{server} {}\n", names.join(" "));
        // A program that has ended answers nothing, which is told then.
        let _ = self.input.send(line.into()).await;
    }

    /// Asks the server.
    pub async fn ask(&mut self, name: &str, kind: Kind) -> Reply {
        self.number = self.number.wrapping_add(1);
        let framed = wire::question(self.number, name, kind).and_then(|message| wire::framed(&message));
        let message = match framed {
            Ok(message) => message,
            Err(error) => return (Answer::NotAsked(error.to_string()), None, None),
        };
        if let Some(why) = &self.told.closed {
            return (Answer::Silence(why.clone()), None, None);
        }
        let sent = Instant::now();
        let _ = self.input.send(message.into()).await;
        match self.reply(sent + self.patience).await {
            Ok(message) => match wire::answer(&message, self.number, kind) {
                Ok((answer, kept)) => (answer, kept, Some(sent.elapsed())),
                Err(error) => (Answer::Refused(error.to_string()), None, Some(sent.elapsed())),
            },
            Err(why) => {
                // What comes late would be taken for an answer to the next question.
                self.told.closed = Some(why.clone());
                (Answer::Silence(why), None, None)
            }
        }
    }

    /// The next message of the server, or why there is none.
    async fn reply(&mut self, deadline: Instant) -> Result<Vec<u8>, String> {
        loop {
            if let Some(message) = self.unframed.next_message() {
                return Ok(message);
            }
            if let Some(why) = &self.told.closed {
                // What came before the end may still be on its way to here.
                let Ok(piece) = self.output.try_recv() else { return Err(why.clone()) };
                self.unframed.push(&piece);
                continue;
            }
            let piece = timeout_at(deadline, async {
                tokio::select! { biased;
                    piece = self.output.recv() => Some(piece),
                    Some(piece) = self.errors.recv() => {
                        self.hear(&piece);
                        None
                    }
                }
            });
            match piece.await {
                Ok(Some(Some(piece))) => self.unframed.push(&piece),
                Ok(Some(None)) => return Err(self.why_closed("the connection to the pod ended")),
                Ok(None) => {}
                Err(_) => return Err(self.why_closed(&self.nothing())),
            }
        }
    }

    /// Gives each answer so long.
    pub fn wait_for(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// What names were looked up to, in the order in which they were given.
    pub async fn looked_up(&mut self, count: usize) -> Vec<Reply> {
        let deadline = self.begun + self.patience;
        while self.told.looked.len() < count {
            match timeout_at(deadline, self.errors.recv()).await {
                Ok(Some(piece)) => self.hear(&piece),
                Ok(None) | Err(_) => break,
            }
        }
        let silence = || (Answer::Silence(self.nothing()), None, None);
        let reply = |index| {
            let looked = self.told.looked.get(&index).cloned();
            looked.map_or_else(silence, |(answer, took)| (answer, None, Some(took)))
        };
        (0..count).map(reply).collect()
    }

    /// Takes in more of stderr.
    fn hear(&mut self, piece: &[u8]) {
        self.text.extend_from_slice(piece);
        while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            self.told.hear(String::from_utf8_lossy(&line).trim_end(), self.begun.elapsed());
        }
    }

    fn nothing(&self) -> String {
        format!("no answer within {:?}", self.patience)
    }

    fn why_closed(&self, otherwise: &str) -> String {
        let said = self.said();
        if said.is_empty() { otherwise.to_owned() } else { said }
    }
}

/// The most that is kept of what programs say by themselves.
const MOST_SAID: usize = 2000;

impl Told {
    /// Takes in a line that was told after a time.
    fn hear(&mut self, line: &str, after: Duration) {
        let Some(told) = line.strip_prefix('#') else {
            if self.said.len() < MOST_SAID {
                self.said = format!("{} {line}", self.said);
            }
            return;
        };
        let (word, rest) = told.split_once(' ').unwrap_or((told, ""));
        let there = || (rest != "none").then(|| rest.to_owned());
        match word {
            "bridge" => self.hello.bridge = there(),
            "libc" => self.hello.libc = there(),
            "resolv" => self.resolv = format!("{}{rest}\n", self.resolv),
            "ready" => self.is_ready = true,
            "look" => {
                if let Some((index, answer)) = looked(rest) {
                    self.looked.insert(index, (answer, after));
                }
            }
            "closed" => self.closed = Some(why_closed(&one_line(&self.said))),
            _ => {}
        }
    }
}

/// Why there is no connection, out of what the program that should make it has said.
fn why_closed(said: &str) -> String {
    match said {
        "" => "no connection".to_owned(),
        said if said.to_lowercase().contains("refused") => "connection refused".to_owned(),
        said => said.to_owned(),
    }
}

/// Python's word for a name of which no server has said anything.
const TRY_AGAIN: &str = "3";

/// What a name was looked up to: its number, an exit code, and addresses.
fn looked(line: &str) -> Option<(usize, Answer)> {
    let mut words = line.split_whitespace();
    let index = words.next()?.parse().ok()?;
    let code = words.next()?;
    let addresses: std::collections::BTreeSet<Record> =
        words.filter_map(|word| word.parse().ok()).map(Record::Address).collect();
    let answer = match code {
        TRY_AGAIN => Answer::Silence("the resolver says to try again".to_owned()),
        "0" if !addresses.is_empty() => Answer::Records(addresses),
        _ => Answer::NoSuchName,
    };
    Some((index, answer))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pipe() -> (Pipe, mpsc::Receiver<Bytes>, mpsc::Sender<Bytes>, mpsc::Sender<Bytes>) {
        let (input, stdin) = mpsc::channel(PIECES);
        let (stdout, output) = mpsc::channel(PIECES);
        let (stderr, errors) = mpsc::channel(PIECES);
        (Pipe::new(input, output, errors), stdin, stdout, stderr)
    }

    const HELLO: &str = "#bridge nc\n#libc none\n#resolv search alice.svc.kube.test svc.kube.test\n\
                         #resolv nameserver 10.96.0.10\n#resolv options ndots:5\n#ready\n";

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn the_pod_is_introduced_in_pieces_of_any_size() {
        for size in [1, 7, 1000] {
            let (mut pipe, _stdin, _stdout, stderr) = pipe();
            let feed = async {
                for piece in HELLO.as_bytes().chunks(size) {
                    stderr.send(Bytes::copy_from_slice(piece)).await.unwrap();
                }
            };
            let (hello, ()) = tokio::join!(pipe.hello(soon()), feed);
            let hello = hello.unwrap();
            assert_eq!((hello.bridge.as_deref(), hello.libc), (Some("nc"), None));
            assert_eq!(hello.resolv.domain().as_deref(), Some("kube.test"));
        }
    }

    #[tokio::test]
    async fn a_program_that_ends_early_is_no_hello() {
        let (mut pipe, _stdin, _stdout, stderr) = pipe();
        stderr.send(Bytes::from_static(b"#bridge nc\nsh: oops\n")).await.unwrap();
        drop(stderr);
        assert_eq!(pipe.hello(soon()).await, None);
        assert_eq!(pipe.said(), "sh: oops");
    }

    #[tokio::test]
    async fn an_answer_is_put_together_and_what_is_told_meanwhile_is_kept() {
        let (mut pipe, mut stdin, stdout, stderr) = pipe();
        pipe.begin("10.96.0.10".parse().unwrap(), &["a", "b."]).await;
        assert_eq!(stdin.recv().await.unwrap().as_ref(), b"10.96.0.10 a b.\n");
        let server = async {
            let question = stdin.recv().await.unwrap();
            let mut answer = question.to_vec();
            answer[4] |= 0x80;
            answer[5] |= 3;
            stdout.send(Bytes::copy_from_slice(&answer[..5])).await.unwrap();
            stderr.send(Bytes::from_static(b"#look 1 0 10.0.0.7 fd00::7 \n#look 0 2\n")).await.unwrap();
            stdout.send(Bytes::copy_from_slice(&answer[5..])).await.unwrap();
        };
        let ((answer, _, took), ()) = tokio::join!(pipe.ask("a.b", Kind::A), server);
        assert_eq!((answer, took.is_some()), (Answer::NoSuchName, true));
        let looked: Vec<String> = pipe.looked_up(2).await.into_iter().map(|(answer, ..)| answer.to_string()).collect();
        assert_eq!(looked, ["no such name", "10.0.0.7,fd00::7"]);
    }

    #[tokio::test]
    async fn a_closed_connection_is_silence_with_its_reason_and_for_all_that_follows() {
        let (mut pipe, _stdin, _stdout, stderr) = pipe();
        stderr.send(Bytes::from_static(b"bash: connect: Connection refused\n#closed 1\n")).await.unwrap();
        for _ in 0..2 {
            let (answer, ..) = pipe.ask("a", Kind::A).await;
            assert_eq!(answer, Answer::Silence("connection refused".to_owned()));
        }
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up_once() {
        let (mut pipe, _stdin, _stdout, _stderr) = pipe();
        pipe.patience = Duration::from_millis(100);
        let start = Instant::now();
        for _ in 0..200 {
            assert!(matches!(pipe.ask("a", Kind::A).await.0, Answer::Silence(_)));
        }
        assert!(matches!(pipe.looked_up(1).await[0].0, Answer::Silence(_)));
        // And not once for each question.
        assert!(start.elapsed() < pipe.patience * 100, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_wrong_answer_is_no_answer() {
        let (mut pipe, _stdin, stdout, _stderr) = pipe();
        stdout.send(Bytes::from_static(b"\x00\x03abc")).await.unwrap();
        assert!(matches!(pipe.ask("a", Kind::A).await.0, Answer::Refused(_)));
    }

    /// Nothing of it stays in somebody's container: neither the shell nor what limits its time.
    #[test]
    fn the_program_ends_with_its_connection() {
        use std::io::Write as _;
        use std::os::unix::fs::PermissionsExt as _;
        use std::process::{Command, Stdio};

        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("nc", "exec sleep 0.2"), ("getent", "sleep 0.5; echo 10.0.0.7 STREAM")] {
            let file = folder.path().join(name);
            std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let start = Instant::now();
        let mut shell = Command::new("sh")
            .args(["-c", SHELL, "sh", PYTHON])
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(b"192.0.2.1 a b\n").unwrap();
        // Its streams end only with the last of its processes.
        let said = String::from_utf8(shell.wait_with_output().unwrap().stderr).unwrap();
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}: {said}", start.elapsed());
        for line in ["#closed 0", "#look 0 0 10.0.0.7", "#look 1 0 10.0.0.7"] {
            assert!(said.contains(line), "no {line:?} in {said}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_pod_tells_is_taken_in(lines in proptest::collection::vec("#?(look|ready|resolv|closed|x)?[ -~]{0,20}", 0..9)) {
            let mut told = Told::default();
            for line in &lines {
                told.hear(line, Duration::ZERO);
            }
            prop_assert!(told.looked.values().all(|(answer, _)| !matches!(answer, Answer::NotAsked(_))));
        }
    }
}
