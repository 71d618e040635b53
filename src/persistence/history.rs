//! The timelines that a server's log comes from: each member that takes over begins one more.

use super::identity::Server;

/// Where a timeline was left for the one that a server is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The position in the log, as PostgreSQL writes it.
    pub at: String,
    /// The same in bytes.
    pub bytes: u64,
}

/// Where a server's timeline left another one that it comes from. None if it does not come from that.
#[must_use]
pub fn left(server: &Server, timeline: u32) -> Option<Left> {
    let line = server.history.lines().find(|line| line.split_whitespace().next() == Some(&timeline.to_string()))?;
    let at = line.split_whitespace().nth(1)?;
    Some(Left { at: at.to_owned(), bytes: bytes(at)? })
}

/// A position in the log: both halves in hexadecimal.
fn bytes(position: &str) -> Option<u64> {
    let (high, low) = position.split_once('/')?;
    let [high, low] = [high, low].map(|half| u32::from_str_radix(half, 16).ok().map(u64::from));
    Some((high? << 32) | low?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::tests::server;

    #[test]
    fn a_history_says_where_each_timeline_was_left() {
        let history = "1\t0/5017A48\tno recovery target specified\n\n2\t1/A000000\tno recovery target specified\n";
        let server = Server { timeline: 3, history: history.to_owned(), ..server("1.5", 100) };
        assert_eq!(left(&server, 1), Some(Left { at: "0/5017A48".to_owned(), bytes: 0x0501_7A48 }));
        assert_eq!(left(&server, 2).map(|left| left.bytes), Some(0x1_0A00_0000));
        assert_eq!(left(&server, 3), None, "nobody has left its own");
        assert_eq!((bytes("0"), bytes("0/x"), bytes("0/123456789")), (None, None, None));
    }
}
