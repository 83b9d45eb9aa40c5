//! Kernel lookups: by which route the kernel forwards to an address.

use std::io;
use std::net::IpAddr;
use std::path::Path;

use bgpreflector_core::netlink::{Payload, SkipReason};
use bgpreflector_core::route::Route;

use crate::error::KernelError;

use super::lookup_requests::look_up;
use super::socket::{RouteSocket, in_namespace};

/// The kernel's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupResult {
    /// This route, after the policy rules (`ip rule`); its table is the one in which it was found.
    Route(Box<Route>),
    /// An error number: `ENETUNREACH` if there is no route; `EINVAL`, `EHOSTUNREACH` and `EACCES`
    /// for an IPv4 blackhole, unreachable and prohibit route.
    Error(i32),
    /// A route that cannot be decoded, with the reason.
    Unreadable(&'static str),
}

impl LookupResult {
    pub(super) fn of(payload: Payload) -> Self {
        match payload {
            Payload::Route(route) => Self::Route(Box::new(route.route)),
            Payload::SourceSpecific(_) => Self::Unreadable(SkipReason::SourceSpecific.name()),
            Payload::Error { errno, .. } => Self::Error(errno.saturating_abs()),
            Payload::Skipped(reason) => Self::Unreadable(reason.name()),
            _ => Self::Unreadable("no route"),
        }
    }
}

/// Looks up all of the addresses in a namespace, or this process's; the answers come in any order,
/// with the index of the address.
///
/// # Errors
/// [`KernelError`]
pub fn lookups(
    namespace: Option<&Path>,
    addresses: &[IpAddr],
) -> Result<Vec<(usize, LookupResult)>, KernelError> {
    let socket = in_namespace(namespace, || RouteSocket::open(0))?;
    let requests: Vec<_> = addresses.iter().copied().enumerate().collect();
    let answers = look_up(&socket, &mut 0, &requests, &|| ())?;
    let found = |(index, payload)| (index, LookupResult::of(payload));
    Ok(answers.into_iter().map(found).collect())
}

/// Looks up an address in a namespace, or this process's.
///
/// # Errors
/// [`KernelError`]
pub fn lookup(namespace: Option<&Path>, address: IpAddr) -> Result<LookupResult, KernelError> {
    let failed = |source: io::Error| KernelError::Lookup { address, source };
    match lookups(namespace, &[address])?.pop() {
        Some((_, LookupResult::Unreadable(reason))) => Err(failed(io::Error::other(reason))),
        Some((_, found)) => Ok(found),
        None => Err(failed(io::ErrorKind::UnexpectedEof.into())),
    }
}
