//! The streams of a program as messages of a WebSocket: the first byte of each says which stream it belongs to.

use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::kubernetes::socket::{Broken, Life, PIECE, Patience};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

/// A terminal's size, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Size {
    /// How many columns.
    pub width: u16,
    /// How many rows.
    pub height: u16,
}

/// Carries everything until the program's status comes. Both directions go on at once: a program that writes while it
/// reads would otherwise wait for this end, and this end for it.
pub async fn carry<S>(
    socket: WebSocketStream<S>,
    stdin: Option<mpsc::Receiver<Bytes>>,
    outputs: (mpsc::Sender<Bytes>, mpsc::Sender<Bytes>),
    size: Option<watch::Receiver<Size>>,
    patience: Patience,
) -> Result<Status, Broken>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (sink, source) = socket.split();
    let life = Life::new(patience);
    let mut receiving = pin!(receive(source, outputs, &life));
    let mut feeding = pin!(feed(sink, stdin, size, &life));
    let unfed = tokio::select! {
        status = &mut receiving => return status,
        Err(error) = &mut feeding => error,
    };
    // A program may end without reading its input: its status says more than that the input was refused.
    match timeout(patience.silence, receiving).await {
        Ok(Ok(status)) => Ok(status),
        Ok(Err(_)) | Err(_) => Err(Broken(unfed.to_string())),
    }
}

/// Sends what there is to send. It ends only if that fails.
async fn feed<S>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    mut stdin: Option<mpsc::Receiver<Bytes>>,
    mut size: Option<watch::Receiver<Size>>,
    life: &Life,
) -> Result<std::convert::Infallible, tungstenite::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut beat = life.beat();
    // The program is told the first size too.
    size.as_mut().map(watch::Receiver::mark_changed);
    loop {
        tokio::select! { biased;
            Some(new) = changed(&mut size) => {
                let body = serde_json::to_vec(&new).unwrap_or_default();
                sink.send(message(RESIZE, &body)).await?;
            }
            _ = beat.tick() => sink.send(life.ping()).await?,
            Some(piece) = next(&mut stdin) => {
                life.fed();
                for part in piece.iter().flat_map(|bytes| bytes.chunks(PIECE)) {
                    sink.send(message(STDIN, part)).await?;
                }
                if piece.is_none() {
                    stdin = None;
                    sink.send(message(CLOSE, &[STDIN])).await?;
                }
            }
        }
    }
}

/// The terminal's new size. Without a terminal, or once nobody says it any more, none comes.
async fn changed(size: &mut Option<watch::Receiver<Size>>) -> Option<Size> {
    let receiver = size.as_mut()?;
    if receiver.changed().await.is_err() {
        *size = None;
        return None;
    }
    Some(*receiver.borrow_and_update())
}

/// The next piece of the input, or its end. Without an input, or after its end, none comes.
async fn next(stdin: &mut Option<mpsc::Receiver<Bytes>>) -> Option<Option<Bytes>> {
    Some(stdin.as_mut()?.recv().await)
}

fn message(stream: u8, bytes: &[u8]) -> Message {
    let mut whole = BytesMut::with_capacity(bytes.len() + 1);
    whole.put_u8(stream);
    whole.put_slice(bytes);
    Message::Binary(whole.freeze())
}

/// Hands on what comes, until the status does.
async fn receive<S>(
    mut source: SplitStream<WebSocketStream<S>>,
    (stdout, stderr): (mpsc::Sender<Bytes>, mpsc::Sender<Bytes>),
    life: &Life,
) -> Result<Status, Broken>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(bytes) = life.heard(&mut source).await? {
        // The first message of each stream is empty.
        if bytes.len() < 2 {
            continue;
        }
        let body = bytes.slice(1..);
        // With nobody to receive it, it is thrown away.
        match bytes[0] {
            STDOUT => drop(stdout.send(body).await),
            STDERR => drop(stderr.send(body).await),
            STATUS => {
                return serde_json::from_slice(&body).map_err(|error| Broken(format!("a status broke: {error}")));
            }
            _ => {}
        }
    }
    Err(Broken("the server closed it".to_owned()))
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;

    use super::*;
    use crate::kubernetes::socket::scripted::{BRIEF, ends};

    fn success() -> Message {
        message(STATUS, br#"{"status":"Success"}"#)
    }

    struct Outside {
        stdin: mpsc::Sender<Bytes>,
        stdout: mpsc::Receiver<Bytes>,
        carried: tokio::task::JoinHandle<Result<Status, Broken>>,
    }

    fn start(client: WebSocketStream<DuplexStream>, size: Option<watch::Receiver<Size>>) -> Outside {
        let (stdin, input) = mpsc::channel(1);
        let (output, stdout) = mpsc::channel(1);
        let (errors, _) = mpsc::channel(1);
        let carried = tokio::spawn(carry(client, Some(input), (output, errors), size, BRIEF));
        Outside { stdin, stdout, carried }
    }

    /// A server that gives back what it gets, and no more than it gets rid of: like `cat`.
    async fn cat(mut server: WebSocketStream<DuplexStream>) {
        while let Some(Ok(got)) = server.next().await {
            match got {
                Message::Binary(bytes) if bytes[0] == STDIN => server.send(message(STDOUT, &bytes[1..])).await.unwrap(),
                Message::Binary(bytes) if bytes[..] == [CLOSE, STDIN] => break,
                _ => {}
            }
        }
        server.send(success()).await.unwrap();
    }

    #[tokio::test]
    async fn much_goes_both_ways_at_once_unchanged() {
        let (client, server) = ends().await;
        let Outside { stdin, mut stdout, carried } = start(client, None);
        tokio::spawn(cat(server));
        let sent: Vec<u8> = (0..3_000_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
        let all = Bytes::from(sent.clone());
        tokio::spawn(async move {
            for start in (0..all.len()).step_by(200_000) {
                stdin.send(all.slice(start..all.len().min(start + 200_000))).await.unwrap();
            }
        });
        let mut got = Vec::new();
        while let Some(piece) = stdout.recv().await {
            got.extend_from_slice(&piece);
        }
        assert!(got == sent, "{} bytes of {}", got.len(), sent.len());
        assert_eq!(carried.await.unwrap().unwrap().status.as_deref(), Some("Success"));
    }

    #[tokio::test]
    async fn a_program_that_ends_without_reading_its_input_has_ended() {
        let (client, mut server) = ends().await;
        let Outside { stdin, carried, .. } = start(client, None);
        stdin.send(Bytes::from(vec![0; 1 << 20])).await.unwrap();
        server.next().await.unwrap().unwrap();
        server.send(success()).await.unwrap();
        drop(server);
        assert!(carried.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn an_end_without_a_status_is_none() {
        for politely in [true, false] {
            let (client, mut server) = ends().await;
            let Outside { stdin: _stdin, mut stdout, carried } = start(client, None);
            server.send(message(STDOUT, b"half of")).await.unwrap();
            if politely {
                server.close(None).await.unwrap();
            }
            drop(server);
            assert_eq!(stdout.recv().await.unwrap(), "half of");
            carried.await.unwrap().unwrap_err();
        }
    }

    #[tokio::test]
    async fn output_that_nobody_wants_is_thrown_away() {
        let (client, mut server) = ends().await;
        let Outside { stdin: _stdin, stdout, carried } = start(client, None);
        drop(stdout);
        for _ in 0..10 {
            server.send(message(STDOUT, b"much")).await.unwrap();
        }
        server.send(success()).await.unwrap();
        assert!(carried.await.unwrap().is_ok());
    }

    /// The next message that is not a ping.
    async fn told(server: &mut WebSocketStream<DuplexStream>) -> Bytes {
        loop {
            match server.next().await.unwrap().unwrap() {
                Message::Ping(_) => {}
                other => return other.into_data(),
            }
        }
    }

    #[tokio::test]
    async fn every_size_is_told_from_the_first_on() {
        let (client, mut server) = ends().await;
        let (sizes, size) = watch::channel(Size { width: 80, height: 24 });
        let Outside { stdin: _stdin, carried, .. } = start(client, Some(size));
        assert_eq!(told(&mut server).await, "\u{4}{\"Width\":80,\"Height\":24}");
        sizes.send(Size { width: 100, height: 40 }).unwrap();
        assert_eq!(told(&mut server).await, "\u{4}{\"Width\":100,\"Height\":40}");
        drop(sizes);
        server.send(success()).await.unwrap();
        assert!(carried.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn silence_of_a_server_that_answered_before_is_a_loss() {
        let (client, mut server) = ends().await;
        let Outside { stdin: _stdin, carried, .. } = start(client, None);
        // Its answer is queued by the read of the ping, and sent by the next one.
        assert!(server.next().await.unwrap().unwrap().is_ping());
        assert!(server.next().await.unwrap().unwrap().is_ping());
        let Broken(why) = carried.await.unwrap().unwrap_err();
        assert!(why.contains("no data was received"), "{why}");
    }

    #[tokio::test]
    async fn a_server_that_is_held_up_by_the_program_may_be_silent() {
        let (client, mut server) = ends().await;
        let Outside { stdin, carried, .. } = start(client, None);
        stdin.send(Bytes::from_static(b"work")).await.unwrap();
        tokio::time::sleep(BRIEF.silence * 2).await;
        assert!(!carried.is_finished());
        server.send(success()).await.unwrap();
        assert!(carried.await.unwrap().is_ok());
    }
}
