//! Route requests: the hot path.

use bgpreflector_core::vpp::bytes::request_header;
use bgpreflector_core::vpp::route::{
    NO_STATS_INDEX, decode_route_add_del, decode_route_add_del_v2,
};
use bgpreflector_core::vpp::{PathBytes, RouteAddDel, RouteReply, WireError};

use crate::fib::Change;
use crate::sources::API;
use crate::state::State;

const NO_SUCH_FIB: i32 = -3;
const NO_PATHS_IN_ROUTE: i32 = -52;
const INVALID_VALUE: i32 = -7;
const NEXT_HOP_NOT_FOUND: i32 = -54;
const INVALID_PREFIX_LENGTH: i32 = -171;

/// Serves `ip_route_add_del`, or its v2; returns false where the message has not even a context.
pub(crate) fn serve(state: &mut State, v2: bool, payload: &[u8], out: &mut Vec<u8>) -> bool {
    let decoded = if v2 {
        decode_route_add_del_v2(payload)
    } else {
        decode_route_add_del(payload)
    };
    let reply_id = if v2 {
        state.route_ids.v2_reply
    } else {
        state.route_ids.v1_reply
    };
    state.statistics.route_requests += 1;
    let (context, retval, is_add) = match decoded {
        Ok(request) => (request.context, apply(state, &request), request.is_add),
        Err(error) => {
            let Ok((_, context)) = request_header(payload) else {
                return false;
            };
            (context, code(&error), false)
        }
    };
    if retval != 0 {
        state.statistics.refused += 1;
    }
    let counted = retval == 0 && is_add;
    let stats_index = if counted {
        state.fib.len() as u32
    } else {
        NO_STATS_INDEX
    };
    RouteReply {
        context,
        retval,
        stats_index,
    }
    .encode(reply_id, out);
    true
}

fn code(error: &WireError) -> i32 {
    match error {
        WireError::PrefixLength { .. } => INVALID_PREFIX_LENGTH,
        _ => INVALID_VALUE,
    }
}

fn apply(state: &mut State, request: &RouteAddDel<'_>) -> i32 {
    let route = &request.route;
    if let Some(retval) = state.faults.refusal(&route.prefix) {
        return retval;
    }
    if !state.has_table(route.table, route.prefix.family()) {
        return NO_SUCH_FIB;
    }
    if request.is_add && route.paths.count() == 0 {
        return NO_PATHS_IN_ROUTE;
    }
    let source = route.source.filter(|id| *id != 0).unwrap_or(API);
    if state.sources.priority(source).is_none() {
        return INVALID_VALUE;
    }
    match change(state, request, source, route.paths) {
        Ok(change) => {
            count(state, change);
            0
        }
        Err(retval) => retval,
    }
}

fn change(
    state: &mut State,
    request: &RouteAddDel<'_>,
    source: u8,
    bytes: PathBytes<'_>,
) -> Result<Change, i32> {
    let key = (request.route.table, request.route.prefix);
    if !request.is_add && !request.is_multipath {
        return Ok(state.fib.delete(&key, source));
    }
    let id = state.fib.set_of(bytes).ok_or(INVALID_VALUE)?;
    let set = state.fib.set(id).ok_or(INVALID_VALUE)?;
    let unknown = |index| index != u32::MAX && !state.interfaces.has(index);
    if set.paths().iter().any(|path| unknown(path.sw_if_index)) {
        return Err(NEXT_HOP_NOT_FOUND);
    }
    if !request.is_multipath {
        return Ok(state.fib.replace(key, source, id));
    }
    let legs = set.clone();
    Ok(match request.is_add {
        true => state.fib.add_legs(key, source, &legs),
        false => state.fib.remove_legs(&key, source, &legs),
    })
}

fn count(state: &mut State, change: Change) {
    let statistics = &mut state.statistics;
    match change {
        Change::Added => statistics.adds += 1,
        Change::Replaced => statistics.replaces += 1,
        Change::Deleted => statistics.deletes += 1,
        Change::Absent => statistics.deletes_of_absent += 1,
    }
}
