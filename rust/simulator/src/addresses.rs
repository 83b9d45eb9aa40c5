//! Interface addresses, and the routes that they imply (`ip4_forward.c`, `ip6_forward.c`).

use std::net::IpAddr;

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::vpp::address::address_union;

use crate::interfaces::Interface;
use crate::paths::{ApiPath, DROP, FibPathType};
use crate::retval;
use crate::sources::INTERFACE;
use crate::state::State;

/// Adds an address and its routes in table 0; returns VPP's code.
pub(crate) fn add(state: &mut State, index: u32, address: (IpAddr, u8)) -> i32 {
    if !state.interfaces.has(index) {
        return retval::INVALID_SW_IF_INDEX;
    }
    if Prefix::new(address.0, address.1).is_err() {
        return retval::INVALID_VALUE;
    }
    if !state.interfaces.add_address(index, address) {
        return retval::ADDRESS_IN_USE;
    }
    for (prefix, path) in routes(index, address) {
        let set = state.fib.sets.intern(vec![path]);
        state.fib.replace((0, prefix), INTERFACE, set);
    }
    0
}

/// Removes an address and its routes; returns VPP's code.
pub(crate) fn remove(state: &mut State, index: u32, address: (IpAddr, u8)) -> i32 {
    if !state.interfaces.has(index) {
        return retval::INVALID_SW_IF_INDEX;
    }
    if !state.interfaces.remove_address(index, address) {
        return retval::ADDRESS_NOT_FOUND_FOR_INTERFACE;
    }
    for (prefix, _) in routes(index, address) {
        state.fib.delete(&(0, prefix), INTERFACE);
    }
    0
}

/// Removes all of an interface's addresses; returns VPP's code.
pub(crate) fn remove_all(state: &mut State, index: u32) -> i32 {
    let Some(interface) = state.interfaces.get(index) else {
        return retval::INVALID_SW_IF_INDEX;
    };
    for address in interface.addresses.clone() {
        remove(state, index, address);
    }
    0
}

/// Removes an interface with its addresses. As in VPP, clients' routes through it stay and drop
/// packets.
pub(crate) fn remove_interface(state: &mut State, index: u32) -> Option<Interface> {
    if index != 0 {
        remove_all(state, index);
    }
    let removed = state.interfaces.remove(index)?;
    state.fib.sets.interface_deleted(index);
    Some(removed)
}

fn routes(index: u32, (address, length): (IpAddr, u8)) -> Vec<(Prefix, ApiPath)> {
    let (family, bits) = match address {
        IpAddr::V4(_) => (Family::V4, 32),
        IpAddr::V6(_) => (Family::V6, 128),
    };
    let path = |path_type| ApiPath {
        sw_if_index: index,
        ..ApiPath::new(path_type, family)
    };
    let own = ApiPath {
        address: address_union(address),
        ..path(FibPathType::Receive)
    };
    let mut found = vec![(Prefix::new(address, bits), own)];
    if length < bits {
        found.push((Prefix::new(address, length), path(FibPathType::Attached)));
    }
    if let (IpAddr::V4(v4), ..=30) = (address, length) {
        let drop = || ApiPath::new(FibPathType::Special(DROP), family);
        let host_bits = u32::MAX.checked_shr(length.into()).unwrap_or(0);
        let first = u32::from(v4) & !host_bits;
        for end in [first, first | host_bits] {
            found.push((Ok(Prefix::v4(end, 32)), drop()));
        }
    }
    let valid = |(prefix, path)| Some((Result::ok(prefix)?, path));
    found.into_iter().filter_map(valid).collect()
}
