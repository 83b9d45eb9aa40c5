//! By which route the kernel forwards to an address, asked of the kernel itself.

use std::io;
use std::net::IpAddr;
use std::path::Path;

use bgpreflector_core::netlink::Payload;
use bgpreflector_core::route::Route;

use crate::error::KernelError;

use super::ask::ask;
use super::socket::{RouteSocket, in_namespace};

/// The kernel's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This route, after the policy rules (`ip rule`): its table is the one that it was found in.
    Route(Box<Route>),
    /// An error number: `ENETUNREACH` where there is no route; `EINVAL`, `EHOSTUNREACH` and
    /// `EACCES` stand for a blackhole, an unreachable and a prohibit route of IPv4.
    Error(i32),
    /// A route that cannot be read: why.
    Unreadable(&'static str),
}

impl Found {
    pub(super) fn of(body: Payload) -> Self {
        match body {
            Payload::Route(route) => Self::Route(Box::new(route.route)),
            Payload::Error { errno, .. } => Self::Error(errno.saturating_abs()),
            Payload::Skipped(reason) => Self::Unreadable(reason.name()),
            _ => Self::Unreadable("no route"),
        }
    }
}

/// Asks the kernel of a namespace, this one's where there is none, for the routes to all of the
/// addresses; the answers in any order, with the addresses' places.
///
/// # Errors
/// [`KernelError`]
pub fn lookups(
    namespace: Option<&Path>,
    addresses: &[IpAddr],
) -> Result<Vec<(usize, Found)>, KernelError> {
    let socket = in_namespace(namespace, || RouteSocket::open(0))?;
    let questions: Vec<_> = addresses.iter().copied().enumerate().collect();
    let answers = ask(&socket, &mut 0, &questions, &|| ())?;
    let found = |(place, body)| (place, Found::of(body));
    Ok(answers.into_iter().map(found).collect())
}

/// Asks the kernel of a namespace, this one's where there is none, for the route to an address.
///
/// # Errors
/// [`KernelError`]
pub fn lookup(namespace: Option<&Path>, address: IpAddr) -> Result<Found, KernelError> {
    let failed = |source: io::Error| KernelError::Lookup { address, source };
    match lookups(namespace, &[address])?.pop() {
        Some((_, Found::Unreadable(reason))) => Err(failed(io::Error::other(reason))),
        Some((_, found)) => Ok(found),
        None => Err(failed(io::ErrorKind::UnexpectedEof.into())),
    }
}
