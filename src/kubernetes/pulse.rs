//! Whether silence means that the other end is gone.

use bytes::Bytes;

/// What is known of the other end from the pings that it has answered.
///
/// A server answers pings in their turn behind what it was sent, and passes that on only as fast as the program reads. So
/// its silence says something only if it has answered since it was last given something to pass on.
#[derive(Debug, Default)]
pub struct Pulse {
    pings: u32,
    answers_count_from: u32,
    trusted: bool,
}

impl Pulse {
    /// The server was given something to pass on.
    pub fn fed(&mut self) {
        self.trusted = false;
        self.answers_count_from = self.pings + 1;
    }

    /// What the next ping carries.
    pub fn ping(&mut self) -> Bytes {
        self.pings += 1;
        Bytes::copy_from_slice(&self.pings.to_be_bytes())
    }

    /// A ping came back.
    pub fn answered(&mut self, carried: &[u8]) {
        let number = carried.try_into().map(u32::from_be_bytes);
        self.trusted |= number.is_ok_and(|number| number >= self.answers_count_from && number <= self.pings);
    }

    /// Whether the server, if it were there, would not be silent.
    pub fn would_answer(&self) -> bool {
        self.trusted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_never_answered_may_be_silent() {
        let mut pulse = Pulse::default();
        assert!(!pulse.would_answer());
        pulse.ping();
        assert!(!pulse.would_answer());
        pulse.answered(b"something else");
        pulse.answered(&9u32.to_be_bytes());
        assert!(!pulse.would_answer());
    }

    #[test]
    fn only_an_answer_to_what_came_after_the_input_counts() {
        let mut pulse = Pulse::default();
        let early = pulse.ping();
        pulse.fed();
        pulse.answered(&early);
        assert!(!pulse.would_answer(), "it may still hold the input");
        let late = pulse.ping();
        pulse.answered(&late);
        assert!(pulse.would_answer());
        pulse.fed();
        assert!(!pulse.would_answer());
    }
}
