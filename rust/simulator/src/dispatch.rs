//! Messages and who serves them.

use bgpreflector_core::route::{Family, PathSet, Prefix};
use bgpreflector_core::vpp::bytes::{Reader, message_id, request_header};
use bgpreflector_core::vpp::normal_form::installed_path;
use bgpreflector_core::vpp::path::PathForm;
use bgpreflector_core::vpp::{
    ControlPingReply, EncodedPaths, FibSource, FibSourceAdd, FibSourceAddReply, FibSourceDetails,
    IpRoute, IpTable, IpTableAddDel, IpTableDetails, MessageName, PlainReply, RouteDetails,
    RouteDump, RouteLookup, RouteLookupReply, SockclntCreate, SockclntCreateReply, WireError,
    messages as m,
};

use crate::cli;
use crate::client::Client;
use crate::description::{id, message};
use crate::routes;
use crate::sources::API;
use crate::state::State;
use crate::wire::Reply;

const INVALID_SW_IF_INDEX: i32 = -2;
const NO_SUCH_ENTRY: i32 = -6;
const LIMIT_EXCEEDED: i32 = -1;

/// Serves one message; returns whether the client stays.
pub(crate) fn serve(state: &mut State, client: &mut Client, payload: &[u8]) -> bool {
    let Some(number) = message_id(payload) else {
        return false;
    };
    let before = client.out.len();
    let ids = state.route_ids;
    if number == ids.v2 || number == ids.v1 {
        let stays = routes::serve(state, number == ids.v2, payload, &mut client.out);
        silence_stranger(client, payload, before);
        return stays;
    }
    let Some(message) = message(number) else {
        log::debug!("a client sent message {number}, which is not served");
        return true;
    };
    *state.statistics.requests.entry(message.name).or_default() += 1;
    match rare(state, client, message, payload) {
        Ok(stays) => {
            if message != m::SOCKCLNT_CREATE {
                silence_stranger(client, payload, before);
            }
            stays
        }
        Err(error) => {
            log::debug!("a client sent a malformed {}: {error}", message.name);
            false
        }
    }
}

/// VPP does what a request with a wrong client index asks for, and has nobody to answer.
fn silence_stranger(client: &mut Client, payload: &[u8], before: usize) {
    if request_header(payload).is_ok_and(|(index, _)| index != client.index) {
        client.out.truncate(before);
    }
}

fn rare(
    state: &mut State,
    client: &mut Client,
    message: MessageName,
    payload: &[u8],
) -> Result<bool, WireError> {
    let out = &mut client.out;
    let number = |message| id(message).unwrap_or(u16::MAX);
    if message == m::SOCKCLNT_CREATE {
        let request = SockclntCreate::decode(payload)?;
        let table = state.description.table();
        let entries = table.iter().map(|(id, name)| (*id, name.as_str()));
        SockclntCreateReply::encode(out, request.context, client.index, entries)?;
        return Ok(true);
    }
    let (_, context) = request_header(payload)?;
    let retval = |out: &mut Vec<u8>, message, retval| {
        PlainReply { context, retval }.encode(number(message), out);
    };
    match message {
        m::SOCKCLNT_DELETE => {
            Reply::new(out, number(m::SOCKCLNT_DELETE_REPLY), context)
                .i32(1)
                .finish();
            client.leaving = true;
        }
        m::GET_API_JSON => {
            let json = state.description.json();
            let reply = Reply::new(out, number(m::GET_API_JSON_REPLY), context);
            reply.i32(0).string(&json).finish();
        }
        m::CONTROL_PING => {
            let vpe_pid = std::process::id();
            let client_index = client.index;
            ControlPingReply {
                context,
                retval: 0,
                client_index,
                vpe_pid,
            }
            .encode(number(m::CONTROL_PING_REPLY), out);
        }
        m::MEMCLNT_KEEPALIVE_REPLY => client.keepalive_sent = None,
        m::SHOW_VERSION => {
            let reply = Reply::new(out, number(m::SHOW_VERSION_REPLY), context).i32(0);
            let reply = reply.text("vpe", 32).text(cli::VERSION, 32);
            reply.text("", 32).text("", 256).finish();
        }
        m::CLI_INBAND => {
            let mut reader = Reader::message("cli_inband", payload)?;
            reader.slice(8)?;
            let length = reader.u32()?;
            let command = String::from_utf8_lossy(reader.slice(length as usize)?).into_owned();
            let text = cli::run(state, command.trim());
            let reply = Reply::new(out, number(m::CLI_INBAND_REPLY), context);
            reply.i32(0).string(&text).finish();
        }
        m::SW_INTERFACE_DUMP => interfaces(state, payload, context, out)?,
        m::SW_INTERFACE_SET_FLAGS => {
            let mut reader = Reader::message("sw_interface_set_flags", payload)?;
            reader.slice(8)?;
            let (index, flags) = (reader.u32()?, reader.u32()?);
            let known = state.interfaces.set_up(index, flags & 1 != 0);
            retval(
                out,
                m::SW_INTERFACE_SET_FLAGS_REPLY,
                if known { 0 } else { INVALID_SW_IF_INDEX },
            );
            if known {
                state.events.push((index, flags & 1 != 0, false));
            }
        }
        m::WANT_INTERFACE_EVENTS => {
            let mut reader = Reader::message("want_interface_events", payload)?;
            reader.slice(8)?;
            let (enable, pid) = (reader.u32()?, reader.u32()?);
            client.events = (enable != 0).then_some(pid);
            retval(out, m::WANT_INTERFACE_EVENTS_REPLY, 0);
        }
        m::CREATE_LOOPBACK => {
            let index = state.interfaces.add_loopback();
            let reply = Reply::new(out, number(m::CREATE_LOOPBACK_REPLY), context);
            reply.i32(0).u32(index).finish();
            state.events.push((index, false, false));
        }
        m::DELETE_LOOPBACK => {
            let mut reader = Reader::message("delete_loopback", payload)?;
            reader.slice(8)?;
            let index = reader.u32()?;
            let known = state.interfaces.remove(index);
            retval(
                out,
                m::DELETE_LOOPBACK_REPLY,
                if known { 0 } else { INVALID_SW_IF_INDEX },
            );
            if known {
                state.events.push((index, false, true));
            }
        }
        m::LCP_ITF_PAIR_GET => {
            let retval = pairs(state, u32::MAX, context, out);
            let reply = Reply::new(out, number(m::LCP_ITF_PAIR_GET_REPLY), context);
            reply.i32(retval).u32(u32::MAX).finish();
        }
        m::LCP_ITF_PAIR_GET_V2 => {
            let mut reader = Reader::message("lcp_itf_pair_get_v2", payload)?;
            reader.slice(8)?;
            let (_cursor, wanted) = (reader.u32()?, reader.u32()?);
            let retval = pairs(state, wanted, context, out);
            let reply = Reply::new(out, number(m::LCP_ITF_PAIR_GET_V2_REPLY), context);
            reply.i32(retval).u32(u32::MAX).finish();
        }
        m::IP_TABLE_ADD_DEL => {
            let request = IpTableAddDel::decode(payload)?;
            let key = (request.table.table, request.table.family == Family::V6);
            if request.is_add {
                let name = request.table.name.into_owned();
                state.tables.entry(key).or_insert(name);
            } else if key.0 != 0 {
                state.tables.remove(&key);
            }
            retval(out, m::IP_TABLE_ADD_DEL_REPLY, 0);
        }
        m::IP_TABLE_DUMP => {
            for ((table, is_ip6), name) in &state.tables {
                let family = if *is_ip6 { Family::V6 } else { Family::V4 };
                let table = IpTable {
                    table: *table,
                    family,
                    name: name.as_str().into(),
                };
                IpTableDetails { context, table }.encode(number(m::IP_TABLE_DETAILS), out)?;
            }
        }
        m::FIB_SOURCE_ADD => {
            let request = FibSourceAdd::decode(payload)?;
            let name = request.source.name.into_owned();
            let added = state.sources.add(name, request.source.priority);
            let (retval, id) = added.map_or((LIMIT_EXCEEDED, 0), |id| (0, id));
            FibSourceAddReply {
                context,
                retval,
                id,
            }
            .encode(number(m::FIB_SOURCE_ADD_REPLY), out);
        }
        m::FIB_SOURCE_DUMP => {
            for source in state.sources.all() {
                let (priority, id) = (source.priority, source.id);
                let source = FibSource {
                    priority,
                    id,
                    name: source.name.as_str().into(),
                };
                FibSourceDetails { context, source }.encode(number(m::FIB_SOURCE_DETAILS), out)?;
            }
        }
        m::IP_ROUTE_V2_DUMP => dump(state, &RouteDump::decode(payload)?, out)?,
        m::IP_ROUTE_LOOKUP_V2 => lookup(state, &RouteLookup::decode(payload)?, out)?,
        _ => log::debug!("a client sent {}, which is not served", message.name),
    }
    Ok(true)
}

fn interfaces(
    state: &State,
    payload: &[u8],
    context: u32,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let mut reader = Reader::message("sw_interface_dump", payload)?;
    reader.slice(8)?;
    let (wanted, by_name) = (reader.u32()?, reader.bool()?);
    let length = reader.u32()?;
    let filter = String::from_utf8_lossy(reader.slice(length as usize)?);
    let details = id(m::SW_INTERFACE_DETAILS).unwrap_or(u16::MAX);
    for interface in state.interfaces.all() {
        let index = interface.sw_if_index;
        let shown = match by_name {
            true => interface.name.contains(&*filter),
            false => [0, u32::MAX, index].contains(&wanted),
        };
        if !shown {
            continue;
        }
        let [.., low] = index.to_be_bytes();
        let (mac, flags, mtu) = match index {
            0 => ([0; 6], 0, 0_u16),
            _ => (
                [0xde, 0xad, 0, 0, 0, low.wrapping_sub(1)],
                if interface.up { 3 } else { 0 },
                9000,
            ),
        };
        let device = if index == 0 { "local" } else { "Loopback" };
        let reply = Reply::new(out, details, context)
            .u32(index)
            .u32(index)
            .bytes(&mac);
        let reply = reply
            .u32(flags)
            .u32(0)
            .u32(0)
            .u32(0)
            .bytes(&mtu.to_be_bytes())
            .u32(mtu.into())
            .zeros(12);
        // Sub-interfaces, tag rewriting and provider bridging: nothing of it is simulated.
        let reply = reply.zeros(SUB_INTERFACE);
        reply
            .text(&interface.name, 64)
            .text(device, 64)
            .text("", 64)
            .finish();
    }
    Ok(())
}

/// From `sub_id` to `i_sid` in `sw_interface_details`.
const SUB_INTERFACE: usize = 4 + 1 + 2 + 2 + 4 + 4 * 4 + 2 + 6 + 6 + 2 + 4;

/// Shows the pair of an interface, or all; returns how it went.
fn pairs(state: &State, wanted: u32, context: u32, out: &mut Vec<u8>) -> i32 {
    let details = id(m::LCP_ITF_PAIR_DETAILS).unwrap_or(u16::MAX);
    let mut found = wanted == u32::MAX;
    for (vpp, linux) in &state.interfaces.pairs {
        let Some(index) = state.interfaces.index(vpp) else {
            continue;
        };
        if wanted != u32::MAX && wanted != index {
            continue;
        }
        found = true;
        let reply = Reply::new(out, details, context)
            .u32(index)
            .u32(index)
            .u32(0);
        reply.text(linux, 16).u8(0).text("", 32).finish();
    }
    if found { 0 } else { INVALID_SW_IF_INDEX }
}

/// The paths of a route as VPP shows them.
fn shown(prefix: &Prefix, set: &PathSet) -> Result<EncodedPaths, WireError> {
    let paths: Vec<_> = set
        .paths()
        .iter()
        .map(|path| installed_path(prefix, path.clone()))
        .collect();
    EncodedPaths::in_form(PathForm::Details, &paths)
}

fn dump(state: &State, request: &RouteDump, out: &mut Vec<u8>) -> Result<(), WireError> {
    let details = id(m::IP_ROUTE_V2_DETAILS).unwrap_or(u16::MAX);
    for ((table, prefix), source, set) in state.fib.all(&state.sources) {
        let ours = request.source == 0 || request.source == source;
        if !ours || table != request.table || prefix.family() != request.family {
            continue;
        }
        let paths = shown(&prefix, set)?;
        let source = Some(source);
        let route = IpRoute {
            table,
            stats_index: 0,
            prefix,
            source,
            paths: paths.view(),
        };
        RouteDetails {
            context: request.context,
            route,
        }
        .encode(details, out);
    }
    Ok(())
}

fn lookup(state: &State, request: &RouteLookup, out: &mut Vec<u8>) -> Result<(), WireError> {
    let reply = id(m::IP_ROUTE_LOOKUP_V2_REPLY).unwrap_or(u16::MAX);
    let (table, context) = (request.table, request.context);
    let found = match request.exact {
        true => {
            let best = state.fib.best(&(table, request.prefix), &state.sources);
            best.map(|(source, set)| (request.prefix, source, set))
        }
        false => state.fib.lookup(table, &request.prefix, &state.sources),
    };
    let empty = PathSet::new(Vec::new());
    let (retval, prefix, source, set) = match found {
        Some((prefix, source, set)) => (0, prefix, source, set),
        None => (NO_SUCH_ENTRY, Prefix::v4(0, 0), API, &empty),
    };
    let paths = shown(&prefix, set)?;
    let route = IpRoute {
        table,
        stats_index: 0,
        prefix,
        source: Some(source),
        paths: paths.view(),
    };
    RouteLookupReply {
        context,
        retval,
        route,
    }
    .encode(reply, out);
    Ok(())
}
