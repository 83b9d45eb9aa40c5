//! zebra's forwarding plane manager as the source of routes: a listener, one connection at a time,
//! its frames applied to the table, and VPP's results sent back.

mod apply;
mod initial_routes;
mod listener;
mod peer;
mod state;

use std::net::SocketAddr;
use std::time::Duration;

pub use listener::Listener;
pub(crate) use listener::bind;
pub use state::FpmState;

/// Settings of the listener for zebra.
#[derive(Clone, Debug)]
pub struct FpmSettings {
    /// The address.
    pub listen: SocketAddr,
    /// How long a connection must send no route that it has not sent before, to count as having sent
    /// all.
    pub quiet_time: Duration,
    /// How long after a connection's start routes of earlier connections stay that it has not sent.
    pub stale_routes_time: Duration,
}
