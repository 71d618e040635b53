//! The bytes of stdin, stdout and stderr, unchanged. Each has a thread of its own: a read that waits for a key must not
//! hold up the end of this program, and a reader that is slow must not hold up its signals.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::thread;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// What is read at once.
const PIECE: usize = 64 << 10;

/// Reads to the end, or until nobody wants more.
#[must_use]
pub fn read(mut from: File, room: usize) -> Input {
    let (pieces, receiver) = mpsc::channel(room);
    let (failed, failure) = oneshot::channel();
    thread::spawn(move || {
        let mut buffer = vec![0; PIECE];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) if pieces.blocking_send(Bytes::copy_from_slice(&buffer[..count])).is_ok() => {}
                Ok(_) => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let _ = failed.send(error);
                    break;
                }
            }
        }
        // The pieces do not end: an input that broke off must not pass for a whole one.
        loop {
            thread::park();
        }
    });
    Input { pieces: receiver, failure }
}

/// An input in pieces.
#[derive(Debug)]
pub struct Input {
    /// Its pieces. They end with it, but not if it breaks off.
    pub pieces: mpsc::Receiver<Bytes>,
    /// Says why it broke off, if it does.
    pub failure: oneshot::Receiver<io::Error>,
}

impl Default for Input {
    /// An input that has ended.
    fn default() -> Self {
        Self { pieces: mpsc::channel(1).1, failure: oneshot::channel().1 }
    }
}

/// An output in pieces, and how its writing ended: once all is written after the sender has gone, or at once if that
/// fails.
pub type Output = (mpsc::Sender<Bytes>, oneshot::Receiver<io::Result<()>>);

/// Writes what comes. Nothing is held back: what is written is to be seen.
#[must_use]
pub fn write(mut to: File, room: usize) -> Output {
    let (sender, mut pieces) = mpsc::channel::<Bytes>(room);
    let (done, ended) = oneshot::channel();
    thread::spawn(move || {
        let mut written = Ok(());
        while let Some(piece) = pieces.blocking_recv() {
            written = to.write_all(&piece);
            if written.is_err() {
                break;
            }
        }
        let _ = done.send(written);
    });
    (sender, ended)
}

/// stdin, stdout or stderr without the buffer that the standard library has for it.
///
/// # Errors
/// If this program has no room for another open file.
pub fn standard(stream: &impl AsFd) -> io::Result<File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}
