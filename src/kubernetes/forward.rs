//! A way to a port of a pod, for one connection.

use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::header::HOST;
use http_body_util::BodyExt;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::api::Request;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use super::cluster::{Cluster, HttpAnswer};
use super::error::{Cause, RequestError};
use super::socket::{Broken, Life, PIECE, Patience};

const DATA: u8 = 0;
const ERROR: u8 = 1;

/// Joins a connection with a port of a pod until the pod closes it, or the connection is gone.
///
/// # Errors
/// If there is no way to the port, or it breaks off. That the connection itself goes is no error.
pub async fn join<C>(cluster: &Cluster, pod: &str, port: u16, connection: C) -> Result<(), RequestError>
where
    C: AsyncRead + AsyncWrite,
{
    let asked = format!("forward to port {port} of pod/{pod}");
    let pods = Request::new(Pod::url_path(&(), Some(cluster.namespace())));
    let way = match pods.portforward(pod, &[port]) {
        Ok(request) => cluster.client.connect(request).await,
        Err(error) => Err(kube::Error::BuildRequest(error)),
    };
    let way = way.map_err(cluster.failed(asked.as_str()))?.into_stream();
    carry(way, connection, Patience::default()).await.map_err(|ended| match ended {
        End::Refused(words) => cluster.error(asked, Cause::NotRun(words)),
        End::Broken(Broken(why)) => cluster.error(asked, Cause::Lost(why)),
    })
}

/// What answers at a port of a pod at a path: whatever it answers.
///
/// # Errors
/// If nothing does.
pub async fn get(cluster: &Cluster, pod: &str, port: u16, path: &str) -> Result<HttpAnswer, RequestError> {
    let (connection, pod_side) = tokio::io::duplex(PIECE);
    let joined = join(cluster, pod, port, pod_side);
    let asked = format!("ask port {port} of pod/{pod} for {path}");
    let lost = |error: hyper::Error| cluster.error(asked.as_str(), Cause::Lost(error.to_string()));
    let answer = async {
        let (mut sender, connection) = handshake(TokioIo::new(connection)).await.map_err(lost)?;
        let exchange = async {
            let request = http::Request::get(path).header(HOST, pod).body(String::new());
            let request = request.map_err(|error| cluster.error(asked.as_str(), Cause::Invalid(error.to_string())))?;
            let (head, body) = sender.send_request(request).await.map_err(lost)?.into_parts();
            Ok(HttpAnswer::new(head.status, &body.collect().await.map_err(lost)?.to_bytes()))
        };
        let mut exchange = pin!(exchange);
        tokio::select! { biased;
            answer = &mut exchange => answer,
            _ = connection => exchange.await,
        }
    };
    let (mut answer, joined) = (pin!(answer), pin!(joined));
    tokio::select! { biased;
        answer = &mut answer => answer,
        // Why there was no way tells more than that the connection has ended.
        refused = joined => match refused {
            Err(error) => Err(error),
            Ok(()) => answer.await,
        },
    }
}

/// Why a way was none, or came to its end.
#[derive(Debug)]
enum End {
    /// The pod does not take it: its node's words.
    Refused(String),
    /// The connection to the cluster broke.
    Broken(Broken),
}

/// Carries both directions at once.
async fn carry<S, C>(way: WebSocketStream<S>, connection: C, patience: Patience) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: AsyncRead + AsyncWrite,
{
    let (sink, source) = way.split();
    let (from_client, to_client) = split(connection);
    let life = Life::new(patience);
    let mut answering = pin!(answer(source, to_client, &life));
    let unasked = tokio::select! {
        answered = &mut answering => return answered,
        asked = ask(sink, from_client, &life) => match asked {
            Ok(()) => return Ok(()),
            Err(error) => error,
        },
    };
    // A pod may close it without hearing all: what it has said until then is handed on.
    let unanswered = |_| Err(End::Broken(Broken(unasked.to_string())));
    timeout(patience.silence, answering).await.unwrap_or_else(unanswered)
}

/// Sends what the client says, until the client has gone. The protocol cannot close one direction alone: a client that has
/// said all is still answered, and the end of what it says is not handed on.
async fn ask<S, C>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    mut client: ReadHalf<C>,
    life: &Life,
) -> Result<(), tungstenite::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: AsyncRead,
{
    let mut beat = life.beat();
    let (mut buffer, mut has_said_all) = (BytesMut::new(), false);
    loop {
        buffer.reserve(PIECE);
        if buffer.is_empty() {
            buffer.put_u8(DATA);
        }
        tokio::select! { biased;
            _ = beat.tick() => sink.send(life.ping()).await?,
            read = client.read_buf(&mut buffer), if !has_said_all => match read {
                Ok(0) => has_said_all = true,
                Ok(_) => {
                    life.fed();
                    sink.send(Message::Binary(buffer.split().freeze())).await?;
                }
                Err(_) => return Ok(()),
            }
        }
    }
}

/// Hands on what the pod says, until it has said all, or the client has gone.
async fn answer<S, C>(
    mut source: SplitStream<WebSocketStream<S>>,
    mut client: WriteHalf<C>,
    life: &Life,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: AsyncWrite,
{
    // The first message of each stream holds the port's number.
    let mut begun = [false; 2];
    while let Some(mut bytes) = life.heard(&mut source).await.map_err(End::Broken)? {
        let stream = if bytes.is_empty() { None } else { Some(bytes.split_to(1)[0]) };
        match stream {
            Some(stream @ (DATA | ERROR)) if !std::mem::replace(&mut begun[usize::from(stream)], true) => {}
            Some(DATA) if client.write_all(&bytes).await.is_err() => return Ok(()),
            Some(ERROR) => return Err(End::Refused(words(&bytes))),
            _ => {}
        }
    }
    let _ = client.shutdown().await;
    Ok(())
}

fn words(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::kubernetes::socket::scripted::{BRIEF, ends};

    type Way = WebSocketStream<DuplexStream>;

    /// A client, and the server of a way that has begun.
    async fn joined() -> (DuplexStream, Way, JoinHandle<Result<(), End>>) {
        let (way, mut server) = ends().await;
        let (client, connection) = duplex(4 << 10);
        let carried = tokio::spawn(carry(way, connection, BRIEF));
        for stream in [DATA, ERROR] {
            server.send(Message::binary(vec![stream, 0x90, 0x1f])).await.unwrap();
        }
        (client, server, carried)
    }

    /// The next piece that the server gets.
    async fn got(server: &mut Way) -> Bytes {
        loop {
            if let Message::Binary(bytes) = server.next().await.unwrap().unwrap() {
                return bytes;
            }
        }
    }

    #[tokio::test]
    async fn who_has_said_all_is_still_answered() {
        let (mut client, mut server, carried) = joined().await;
        client.write_all(b"GET /").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(got(&mut server).await, "\0GET /");
        // Longer than the end of what was said takes to be seen.
        assert!(server.next().await.unwrap().unwrap().is_ping());
        let much = vec![7; 100_000];
        server.send(Message::binary([&[DATA], &much[..]].concat())).await.unwrap();
        let mut answer = vec![0; much.len()];
        client.read_exact(&mut answer).await.unwrap();
        assert!(answer == much);
        server.close(None).await.unwrap();
        assert_eq!(client.read(&mut answer).await.unwrap(), 0);
        carried.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_port_at_which_nobody_listens_says_so() {
        let (_client, mut server, carried) = joined().await;
        server.send(Message::binary([&[ERROR], &b"connection refused"[..]].concat())).await.unwrap();
        let End::Refused(words) = carried.await.unwrap().unwrap_err() else { panic!("not refused") };
        assert_eq!(words, "connection refused");
    }

    #[tokio::test]
    async fn a_network_that_dies_silently_is_noticed() {
        let (_client, mut server, carried) = joined().await;
        // Its answer is queued by the read of the ping, and sent by the next one.
        assert!(server.next().await.unwrap().unwrap().is_ping());
        assert!(server.next().await.unwrap().unwrap().is_ping());
        let End::Broken(Broken(why)) = carried.await.unwrap().unwrap_err() else { panic!("not broken") };
        assert!(why.contains("no data was received"), "{why}");
    }

    #[tokio::test]
    async fn a_client_that_goes_ends_it() {
        let (client, mut server, carried) = joined().await;
        drop(client);
        server.send(Message::binary(vec![DATA, 1])).await.unwrap();
        carried.await.unwrap().unwrap();
    }
}
