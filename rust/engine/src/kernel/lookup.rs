//! By which route the kernel forwards to an address, asked of the kernel itself.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use bgpreflector_core::netlink::{Body, Messages, route_lookup};
use bgpreflector_core::route::Route;

use crate::error::KernelError;

use super::socket::{RouteSocket, in_namespace};

/// A multipath route of 256 legs has about 10 KiB.
const BUFFER: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);
const SEQUENCE: u32 = 1;

/// The kernel's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This route, after the policy rules (`ip rule`): its table is the one that it was found in.
    Route(Box<Route>),
    /// An error number: `ENETUNREACH` where there is no route; `EINVAL`, `EHOSTUNREACH` and
    /// `EACCES` stand for a blackhole, an unreachable and a prohibit route of IPv4.
    Error(i32),
}

/// Asks the kernel of a namespace, this one's where there is none (`RTM_GETROUTE` with
/// `RTM_F_FIB_MATCH`).
///
/// # Errors
/// [`KernelError`]
pub fn lookup(namespace: Option<&Path>, address: IpAddr) -> Result<Found, KernelError> {
    let failed = |source: io::Error| KernelError::Lookup { address, source };
    let socket = in_namespace(namespace, || RouteSocket::open(0))?;
    socket
        .send(&route_lookup(address, SEQUENCE))
        .map_err(failed)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = socket.await_one(&mut buffer, PATIENCE).map_err(failed)?;
        for message in Messages::new(buffer.get(..length).unwrap_or_default()) {
            let message = message.map_err(|error| failed(io::Error::other(error.to_string())))?;
            match message.body {
                _ if message.header.sequence != SEQUENCE => {}
                Body::Route(route) => return Ok(Found::Route(Box::new(route.route))),
                Body::Error { errno, .. } => return Ok(Found::Error(errno.saturating_abs())),
                Body::Skipped(reason) => {
                    return Err(failed(io::Error::other(reason.name())));
                }
                _ => {}
            }
        }
    }
}
