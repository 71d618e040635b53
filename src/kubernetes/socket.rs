//! A WebSocket whose other end is asked for signs of life: a network that dies says nothing.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::pulse::Pulse;

/// The most that one message carries: large ones are quicker, up to about here.
pub const PIECE: usize = 64 << 10;

/// How long is waited for a sign of life.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often the server is asked whether it is there. It also keeps what is between from dropping an idle connection.
    pub ping: Duration,
    /// How long a server that answers pings may be silent.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { ping: Duration::from_secs(10), silence: Duration::from_secs(35) }
    }
}

/// The connection ended before it was to: why.
#[derive(Debug)]
pub struct Broken(pub String);

/// What both directions of a connection know of the other end.
#[derive(Debug)]
pub struct Life {
    pulse: Mutex<Pulse>,
    patience: Patience,
}

impl Life {
    pub fn new(patience: Patience) -> Self {
        Self { pulse: Mutex::default(), patience }
    }

    /// When to ask for a sign of life.
    pub fn beat(&self) -> Interval {
        let every = self.patience.ping;
        let mut beat = interval_at(Instant::now() + every, every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat
    }

    /// The message that asks for one.
    pub fn ping(&self) -> Message {
        Message::Ping(self.pulse().ping())
    }

    /// The server is about to be given something to pass on.
    pub fn fed(&self) {
        self.pulse().fed();
    }

    /// The next message; none once the server has closed the connection.
    ///
    /// # Errors
    /// If the connection breaks, or nothing is heard of a server that would answer.
    pub async fn heard<S>(&self, source: &mut SplitStream<WebSocketStream<S>>) -> Result<Option<Bytes>, Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let silence = self.patience.silence;
        loop {
            // The time counts from when this end began to listen: while it hands on what came, nothing is heard.
            match timeout(silence, source.next()).await {
                Ok(Some(Ok(Message::Binary(bytes)))) => return Ok(Some(bytes)),
                Ok(Some(Ok(Message::Pong(carried)))) => self.pulse().answered(&carried),
                Ok(Some(Ok(Message::Close(_))) | None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(Broken(error.to_string())),
                Err(_) if self.pulse().would_answer() => {
                    return Err(Broken(format!("no data was received for {silence:?}")));
                }
                Ok(Some(Ok(_))) | Err(_) => {}
            }
        }
    }

    fn pulse(&self) -> std::sync::MutexGuard<'_, Pulse> {
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub mod scripted {
    use tokio::io::{DuplexStream, duplex};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    /// Long for a server here, and short for a person.
    pub const BRIEF: Patience = Patience { ping: Duration::from_millis(100), silence: Duration::from_secs(4) };

    /// Both ends of a connection that holds little at once.
    pub async fn ends() -> (WebSocketStream<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (one, other) = duplex(4 << 10);
        (
            WebSocketStream::from_raw_socket(one, Role::Client, None).await,
            WebSocketStream::from_raw_socket(other, Role::Server, None).await,
        )
    }
}
