//! What `-v` shows, on stderr.

use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log. Only this program's own lines: the libraries' may hold answers, and answers secrets.
pub fn start(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1..=5 => Level::INFO,
        6.. => Level::DEBUG,
    };
    let own = filter_fn(move |metadata| {
        metadata.target().starts_with(env!("CARGO_CRATE_NAME")) && *metadata.level() <= level
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    tracing_subscriber::registry().with(tracing_subscriber::Layer::with_filter(lines, own)).init();
}
