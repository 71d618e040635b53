//! The plugin on a cluster of which each of these tests has all for itself: they empty it, stop its parts, or keep pods from
//! its nodes.

mod api_server;
mod by_hand;
mod dns_server;
mod ha;
mod lesson;
mod network_policy;
mod nodes;
mod open;
mod parts;
mod truths;
