//! linux-cp pairs.

use bgpreflector_core::vpp::bytes::Reader;
use bgpreflector_core::vpp::{WireError, messages as m};

use super::request::{Request, id_of};
use crate::paths::NO_INTERFACE;
use crate::reply::Reply;
use crate::retval;
use crate::state::State;

const HOST_NAME_LENGTH: usize = 16;

pub(super) fn serve(
    state: &mut State,
    request: &Request<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let mut reader = Reader::message(request.message.name, request.payload)?;
    reader.slice(8)?;
    match request.message {
        m::LCP_ITF_PAIR_GET => {
            let from = reader.u32()? as usize;
            let (retval, cursor) = show_from(state, from, request.context, out);
            let reply = Reply::new(out, id_of(m::LCP_ITF_PAIR_GET_REPLY), request.context);
            reply.i32(retval).u32(cursor).finish();
        }
        m::LCP_ITF_PAIR_GET_V2 => {
            // For all pairs VPP 26.10 answers with v1's reply, which makes a client wait forever;
            // the simulator does not imitate that.
            let (_cursor, wanted) = (reader.u32()?, reader.u32()?);
            let retval = show(state, wanted, request.context, out);
            let reply = id_of(m::LCP_ITF_PAIR_GET_V2_REPLY);
            let reply = Reply::new(out, reply, request.context);
            reply.i32(retval).u32(u32::MAX).finish();
        }
        _ => {
            let (is_add, index) = (reader.bool()?, reader.u32()?);
            let name = reader.slice(HOST_NAME_LENGTH)?;
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            let (retval, host) = match is_add {
                true => add(state, index, name),
                false => (delete(state, index), u32::MAX),
            };
            let reply = id_of(m::LCP_ITF_PAIR_ADD_DEL_V2_REPLY);
            let reply = Reply::new(out, reply, request.context);
            reply.i32(retval).u32(host).finish();
        }
    }
    Ok(())
}

/// Shows pairs from this index, as many as VPP shows at once; returns the return code, and where to
/// continue.
fn show_from(state: &State, from: usize, context: u32, out: &mut Vec<u8>) -> (i32, u32) {
    let pairs = &state.interfaces.pairs;
    if pairs.is_empty() {
        // VPP ignores such a cursor.
        return (0, 0);
    }
    let at_once = match state.faults.pairs_at_once {
        0 => usize::MAX,
        count => count,
    };
    for pair in pairs.iter().skip(from).take(at_once) {
        if let Some(index) = state.interfaces.index(&pair.0) {
            show_one(index, &pair.1, context, out);
        }
    }
    let next = from.saturating_add(at_once);
    if next < pairs.len() {
        let next = u32::try_from(next).unwrap_or(u32::MAX);
        return (retval::EAGAIN, next);
    }
    (0, u32::MAX)
}

fn show_one(index: u32, linux: &str, context: u32, out: &mut Vec<u8>) {
    let (namespace, name) = linux.rsplit_once('/').unwrap_or(("", linux));
    let reply = Reply::new(out, id_of(m::LCP_ITF_PAIR_DETAILS), context);
    let reply = reply.u32(index).u32(index).u32(0);
    reply
        .text(name, HOST_NAME_LENGTH)
        .u8(0)
        .text(namespace, 32)
        .finish();
}

/// Shows the pair of an interface, or all; returns the return code.
fn show(state: &State, wanted: u32, context: u32, out: &mut Vec<u8>) -> i32 {
    let mut found = wanted == NO_INTERFACE;
    for (vpp, linux) in &state.interfaces.pairs {
        let Some(index) = state.interfaces.index(vpp) else {
            continue;
        };
        if wanted != NO_INTERFACE && wanted != index {
            continue;
        }
        found = true;
        show_one(index, linux, context, out);
    }
    if found {
        0
    } else {
        retval::INVALID_SW_IF_INDEX
    }
}

/// Pairs an interface; the other end is a tap interface of VPP.
fn add(state: &mut State, index: u32, linux: String) -> (i32, u32) {
    let Some(interface) = state.interfaces.get(index) else {
        return (retval::INVALID_SW_IF_INDEX, u32::MAX);
    };
    let vpp = interface.name.clone();
    if state
        .interfaces
        .pairs
        .iter()
        .any(|(other, _)| *other == vpp)
    {
        return (retval::VALUE_EXIST, u32::MAX);
    }
    state.interfaces.pairs.push((vpp, linux));
    let tap = state.interfaces.add_tap();
    state.events.push((tap, false, false));
    (0, tap)
}

fn delete(state: &mut State, index: u32) -> i32 {
    let name = state.interfaces.get(index).map(|i| i.name.clone());
    let before = state.interfaces.pairs.len();
    state
        .interfaces
        .pairs
        .retain(|(vpp, _)| Some(vpp) != name.as_ref());
    match state.interfaces.pairs.len() < before {
        true => 0,
        false => retval::INVALID_SW_IF_INDEX,
    }
}
