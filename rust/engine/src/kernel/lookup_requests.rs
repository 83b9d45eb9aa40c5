//! Kernel lookups of the routes to addresses (`RTM_GETROUTE` with `RTM_F_FIB_MATCH`).

use std::net::IpAddr;

use ahash::AHashMap;
use bgpreflector_core::netlink::{Messages, Payload, route_lookup};

use crate::error::KernelError;

use super::read_ahead::receive;
use super::socket::RouteSocket;

/// Requests sent at once: the answers must fit in a receive buffer of the default size.
const REQUESTS_AT_ONCE: usize = 64;
const BUFFER: usize = 128 * 1024;
const WHAT: &str = "single routes";

/// Looks up each of the addresses; returns the answers, in any order, with the caller's key for
/// each. Calls `on_progress` before each part of them.
///
/// # Errors
/// [`KernelError`] if an answer is missing or cannot be decoded.
pub(super) fn look_up<T: Copy>(
    socket: &RouteSocket,
    sequence: &mut u32,
    addresses: &[(T, IpAddr)],
    on_progress: &dyn Fn(),
) -> Result<Vec<(T, Payload)>, KernelError> {
    let mut answers = Vec::with_capacity(addresses.len());
    for chunk in addresses.chunks(REQUESTS_AT_ONCE) {
        on_progress();
        look_up_chunk(socket, sequence, chunk, &mut answers)?;
    }
    Ok(answers)
}

fn look_up_chunk<T: Copy>(
    socket: &RouteSocket,
    sequence: &mut u32,
    addresses: &[(T, IpAddr)],
    answers: &mut Vec<(T, Payload)>,
) -> Result<(), KernelError> {
    let failed = |source| KernelError::Dump { what: WHAT, source };
    let mut waiting = AHashMap::new();
    let mut requests = Vec::new();
    for (key, address) in addresses {
        *sequence = sequence.wrapping_add(1);
        requests.extend(route_lookup(*address, *sequence));
        waiting.insert(*sequence, *key);
    }
    socket.send(&requests).map_err(failed)?;
    let mut buffer = vec![0; BUFFER];
    while !waiting.is_empty() {
        let length = receive(socket, WHAT, &mut buffer)?;
        for message in Messages::new(buffer.get(..length).unwrap_or_default()) {
            let message =
                message.map_err(|error| failed(std::io::Error::other(error.to_string())))?;
            if let Some(key) = waiting.remove(&message.header.sequence) {
                answers.push((key, message.payload));
            }
        }
    }
    Ok(())
}
