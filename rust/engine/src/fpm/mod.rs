//! zebra's forwarding plane manager as the source of routes: a listener, one connection at a time,
//! its frames into the table, and VPP's answers back.

mod apply;
mod listener;
mod peer;
mod state;

use std::net::SocketAddr;
use std::time::Duration;

pub use listener::Listener;
pub use state::FpmState;

/// How zebra is listened to.
#[derive(Clone, Debug)]
pub struct FpmSettings {
    /// Where.
    pub listen: SocketAddr,
    /// How long a connection must be quiet to count as having sent all routes.
    pub quiet_time: Duration,
    /// How long, from its beginning, routes of earlier connections stay that it has not shown.
    pub grace: Duration,
}
