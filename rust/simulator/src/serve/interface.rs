//! Interfaces, their events and addresses.

use std::net::IpAddr;

use bgpreflector_core::vpp::address::{address_from_union, family_of};
use bgpreflector_core::vpp::bytes::Reader;
use bgpreflector_core::vpp::{MessageName, WireError, messages as m};

use super::request::{Request, id_of, reply};
use crate::addresses;
use crate::client::Client;
use crate::description as d;
use crate::interfaces::Interface;
use crate::paths::NO_INTERFACE;
use crate::reply::Reply;
use crate::retval;
use crate::state::State;

/// From `sub_id` to `i_sid` in `sw_interface_details`: sub-interfaces, tag rewriting and provider
/// bridging, none of which is simulated.
const SUB_INTERFACE: usize = 4 + 1 + 2 + 2 + 4 + 4 * 4 + 2 + 6 + 6 + 2 + 4;
/// `IF_STATUS_API_FLAG_ADMIN_UP` and `_LINK_UP`
pub(crate) const UP: u32 = 3;
const ADMIN_UP: u32 = 1;

/// A client has one registration: a second is refused, and so is removing none.
pub(super) fn want_events(client: &mut Client, request: &Request<'_>) -> Result<(), WireError> {
    let mut reader = fields(request)?;
    let (enable, pid) = (reader.u32()? != 0, reader.u32()?);
    let refused = enable == client.events.is_some();
    if !refused {
        client.events = enable.then_some(pid);
    }
    let retval = if refused {
        retval::INVALID_REGISTRATION
    } else {
        0
    };
    let context = request.context;
    reply(
        &mut client.out,
        m::WANT_INTERFACE_EVENTS_REPLY,
        context,
        retval,
    );
    Ok(())
}

fn fields<'a>(request: &Request<'a>) -> Result<Reader<'a>, WireError> {
    let mut reader = Reader::message(request.message.name, request.payload)?;
    reader.slice(8)?;
    Ok(reader)
}

pub(super) fn serve(
    state: &mut State,
    request: &Request<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let mut reader = fields(request)?;
    let context = request.context;
    match request.message {
        m::SW_INTERFACE_DUMP => dump(state, &mut reader, context, out)?,
        m::SW_INTERFACE_SET_FLAGS => {
            let (index, up) = (reader.u32()?, reader.u32()? & ADMIN_UP != 0);
            let changed = state.interfaces.set_up(index, up);
            let known = or_invalid(changed.as_ref());
            reply(out, m::SW_INTERFACE_SET_FLAGS_REPLY, context, known);
            if changed == Some(true) {
                state.events.push((index, up, false));
            }
        }
        d::SW_INTERFACE_GET_TABLE => {
            // All are in table 0 and cannot be moved to another.
            let there = state.interfaces.get(reader.u32()?);
            let reply = Reply::new(out, id_of(d::SW_INTERFACE_GET_TABLE_REPLY), context);
            reply.i32(or_invalid(there)).u32(0).finish();
        }
        m::CREATE_LOOPBACK => create(state, None, m::CREATE_LOOPBACK_REPLY, context, out),
        d::CREATE_LOOPBACK_INSTANCE => {
            let _mac = reader.slice(6)?;
            let (is_specified, instance) = (reader.bool()?, reader.u32()?);
            let wanted = is_specified.then_some(instance);
            create(
                state,
                wanted,
                d::CREATE_LOOPBACK_INSTANCE_REPLY,
                context,
                out,
            );
        }
        m::DELETE_LOOPBACK => {
            let index = reader.u32()?;
            let removed = addresses::remove_interface(state, index);
            let known = or_invalid(removed.as_ref());
            reply(out, m::DELETE_LOOPBACK_REPLY, context, known);
            if removed.is_some() {
                state.events.push((index, false, true));
            }
        }
        _ => {
            let retval = change_address(state, &mut reader)?;
            reply(out, d::SW_INTERFACE_ADD_DEL_ADDRESS_REPLY, context, retval);
        }
    }
    Ok(())
}

fn dump(
    state: &State,
    reader: &mut Reader<'_>,
    context: u32,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let (wanted, by_name, length) = (reader.u32()?, reader.bool()?, reader.u32()?);
    let name = String::from_utf8_lossy(reader.slice(length as usize)?).to_lowercase();
    for interface in state.interfaces.all() {
        let shown = match by_name {
            true => interface.name.to_lowercase().contains(&name),
            false => [0, NO_INTERFACE, interface.sw_if_index].contains(&wanted),
        };
        if shown {
            details(interface, context, out);
        }
    }
    Ok(())
}

fn change_address(state: &mut State, reader: &mut Reader<'_>) -> Result<i32, WireError> {
    let index = reader.u32()?;
    let (is_add, delete_all) = (reader.bool()?, reader.bool()?);
    let address = read_address(reader)?;
    Ok(match (is_add, delete_all) {
        (false, true) => addresses::remove_all(state, index),
        (true, _) => addresses::add(state, index, address),
        (false, false) => addresses::remove(state, index, address),
    })
}

fn or_invalid<T>(found: Option<&T>) -> i32 {
    found.map_or(retval::INVALID_SW_IF_INDEX, |_| 0)
}

/// `vl_api_address_with_prefix_t`: unlike in a prefix, the host bits matter.
fn read_address(reader: &mut Reader<'_>) -> Result<(IpAddr, u8), WireError> {
    let family = family_of(reader.bool()?);
    let address = address_from_union(family, reader.array()?);
    Ok((address, reader.u8()?))
}

fn create(
    state: &mut State,
    instance: Option<u32>,
    message: MessageName,
    context: u32,
    out: &mut Vec<u8>,
) {
    let made = state.interfaces.add_loopback(instance);
    let retval = made.map_or(retval::INVALID_REGISTRATION, |_| 0);
    let reply = Reply::new(out, id_of(message), context);
    reply.i32(retval).u32(made.unwrap_or(NO_INTERFACE)).finish();
    state.events.extend(made.map(|index| (index, false, false)));
}

fn details(interface: &Interface, context: u32, out: &mut Vec<u8>) {
    let index = interface.sw_if_index;
    let mtu: u16 = if index == 0 { 0 } else { 9000 };
    let reply = Reply::new(out, id_of(m::SW_INTERFACE_DETAILS), context);
    let reply = reply.u32(index).u32(index).bytes(&interface.mac);
    let reply = reply.u32(if interface.up { UP } else { 0 });
    // Type hardware; duplex and speed unknown.
    let reply = reply.zeros(12).bytes(&mtu.to_be_bytes());
    let reply = reply.u32(mtu.into()).zeros(12).zeros(SUB_INTERFACE);
    let reply = reply.text(&interface.name, 64).text(interface.device, 64);
    reply.text("", 64).finish();
}
