//! What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The kernel's routes cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// A socket could not be made or set up.
    #[error("cannot open a route netlink socket ({step}): {source}")]
    Socket {
        /// What was being done.
        step: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The network namespace cannot be entered.
    #[error(
        "cannot enter the network namespace {}: {source}; check that it exists (`ip netns list`) \
         and that this process has CAP_SYS_ADMIN", path.display()
    )]
    Namespace {
        /// The namespace's file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A dump request was refused.
    #[error("the kernel refused to dump its {what}: {source}")]
    Dump {
        /// What was to be dumped.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A dump failed; nothing was removed because of it.
    #[error("the kernel's dump of its {what} did not end within {} s", timeout.as_secs())]
    DumpTimeout {
        /// What was being dumped.
        what: &'static str,
        /// How long it was waited for.
        timeout: Duration,
    },
    /// A lookup of the route to an address failed.
    #[error("cannot look up the kernel's route to {address}: {source}")]
    Lookup {
        /// The address.
        address: std::net::IpAddr,
        /// Why not.
        source: io::Error,
    },
    /// The notification socket failed.
    #[error("cannot read the kernel's route notifications: {0}")]
    Read(#[source] io::Error),
    /// zebra cannot be listened to.
    #[error(
        "cannot listen for zebra at {address}: {source}; find the program that uses the \
         address (`ss -ltnp`), or set another in fpm.listen and zebra's `fpm address`"
    )]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The reader has not been started, or has ended.
    #[error("the kernel reader is not running{}", reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    NotRunning {
        /// Why it ended.
        reason: Option<String>,
    },
}

/// VPP cannot be programmed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VppError {
    /// Nothing listens on the socket.
    #[error("cannot connect to VPP's API socket {}: {reason}; {hint}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// Why not.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// The peer does not implement VPP's API.
    #[error("the handshake with VPP failed: {0}")]
    Handshake(String),
    /// A message that is needed is missing or of another version.
    #[error("VPP cannot be programmed by the bulk connection: {0}")]
    Message(String),
    /// The connection ended; nothing of the table is lost.
    #[error("the connection to VPP ended: {0}; a resync follows on reconnect")]
    Lost(String),
    /// VPP closed the connection, as it does when it ends; nothing of the table is lost.
    #[error("the connection to VPP ended: {0}; a resync follows on reconnect")]
    HungUp(String),
    /// VPP keeps the connection but does not answer.
    #[error("VPP has not answered for {:.1} s ({pending} requests open)", after.as_secs_f32())]
    Unresponsive {
        /// How long.
        after: Duration,
        /// Requests without an answer.
        pending: usize,
    },
    /// The connection was closed by this side.
    #[error("the connection to VPP is closed")]
    Closed,
}
