//! Route requests: the hot path.

use bgpreflector_core::route::{Path, PathType};
use bgpreflector_core::vpp::bytes::request_header;
use bgpreflector_core::vpp::route::{
    NO_STATS_INDEX, decode_route_add_del, decode_route_add_del_v2,
};
use bgpreflector_core::vpp::{RouteAddDel, RouteReply, WireError};

use super::request::without_surplus;
use crate::fib::{Change, Key};
use crate::retval;
use crate::sets::SetId;
use crate::sources::API;
use crate::state::State;

/// Serves `ip_route_add_del` or its v2. Drops a message that is too short, as VPP does.
pub(super) fn serve(state: &mut State, v2: bool, payload: &[u8], out: &mut Vec<u8>) {
    state.statistics.route_requests += 1;
    let served = without_surplus(payload, |payload| {
        let request = match v2 {
            true => decode_route_add_del_v2(payload)?,
            false => decode_route_add_del(payload)?,
        };
        Ok(answer(state, &request))
    });
    let (context, result) = match (served, request_header(payload)) {
        (Ok(answered), _) => answered,
        (Err(WireError::Truncated { .. }), _) | (Err(_), Err(_)) => {
            state.statistics.refused += 1;
            log::debug!("a client sent a route request that is too short");
            return;
        }
        (Err(error), Ok((_, context))) => (context, Err(code(&error))),
    };
    let (retval, stats_index) = match result {
        Ok(stats_index) => (0, stats_index),
        Err(retval) => {
            state.statistics.refused += 1;
            (retval, NO_STATS_INDEX)
        }
    };
    let reply = RouteReply {
        context,
        retval,
        stats_index,
    };
    let ids = state.route_ids;
    reply.encode(if v2 { ids.v2_reply } else { ids.v1_reply }, out);
}

fn code(error: &WireError) -> i32 {
    match error {
        WireError::PrefixLength { .. } => retval::INVALID_PREFIX_LENGTH,
        _ => retval::INVALID_VALUE,
    }
}

/// The request's context, and the stats index or VPP's return code.
fn answer(state: &mut State, request: &RouteAddDel<'_>) -> (u32, Result<u32, i32>) {
    let route = &request.route;
    let key = (route.table, route.prefix);
    let result = apply(state, request).map(|change| {
        count(state, change, key);
        let stats_index = request
            .is_add
            .then(|| state.fib.stats_index(&key))
            .flatten();
        stats_index.unwrap_or(NO_STATS_INDEX)
    });
    (request.context, result)
}

/// Checks the request in VPP's order and applies it.
fn apply(state: &mut State, request: &RouteAddDel<'_>) -> Result<Change, i32> {
    let route = &request.route;
    if let Some(retval) = state.faults.refusal(&route.prefix) {
        return Err(retval);
    }
    if !state.tables.has(route.table, route.prefix.family()) {
        return Err(retval::NO_SUCH_FIB);
    }
    let set = match route.paths.count() {
        0 => None,
        _ => Some(resolvable(state, request)?),
    };
    let source = route.source.filter(|id| *id != 0).unwrap_or(API);
    if state.sources.priority(source).is_none() {
        return Err(retval::INVALID_VALUE);
    }
    if request.is_add && crashes(state, request) {
        state.crashed = true;
        return Err(retval::INVALID_VALUE);
    }
    let (key, fib) = ((route.table, route.prefix), &mut state.fib);
    match (request.is_add, request.is_multipath, set) {
        (false, false, _) => Ok(fib.delete(&key, source)),
        (_, _, None) => Err(retval::NO_PATHS_IN_ROUTE),
        (true, false, Some(set)) => Ok(fib.replace(key, source, set)),
        (true, true, Some(next_hops)) => Ok(fib.add_next_hops(key, source, next_hops)),
        (false, true, Some(next_hops)) => Ok(fib.remove_next_hops(&key, source, next_hops)),
    }
}

/// Whether the request crashes this VPP, by its release or by an injected fault.
fn crashes(state: &State, request: &RouteAddDel<'_>) -> bool {
    let route = &request.route;
    if state.faults.crashes_at(&route.prefix) {
        return true;
    }
    if state.settings.release.is_none() {
        return false;
    }
    let fatal = |path: Path| match path.path_type {
        PathType::Normal => path.next_hop.is_none() && !path.labels.is_empty(),
        PathType::Local => false,
        PathType::Drop => state.release_faults.drop && route.table != 0,
        PathType::IcmpUnreach | PathType::IcmpProhibit => {
            state.release_faults.icmp && route.table != 0
        }
    };
    route.paths.iter().flatten().any(fatal)
}

/// The request's paths, if their interfaces and tables exist (`fib_api_path_decode`).
fn resolvable(state: &mut State, request: &RouteAddDel<'_>) -> Result<SetId, i32> {
    let id = state.fib.sets.of_request(request.route.paths)?;
    let set = state.fib.sets.get(id).ok_or(retval::INVALID_VALUE)?;
    for path in set.paths.iter() {
        if path
            .interface()
            .is_some_and(|index| !state.interfaces.has(index))
        {
            return Err(retval::NO_MATCHING_INTERFACE);
        }
        let table = path.lookup_table();
        if table.is_some_and(|(table, family)| !state.tables.has(table, family)) {
            return Err(retval::NO_SUCH_FIB);
        }
    }
    Ok(id)
}

fn count(state: &mut State, change: Change, key: Key) {
    if let (Change::Deleted | Change::Absent, Some(deletions)) = (change, &mut state.deletions) {
        deletions.insert(key);
    }
    let statistics = &mut state.statistics;
    match change {
        Change::Added => {
            statistics.adds += 1;
            statistics.routes += 1;
        }
        Change::Replaced => statistics.replaces += 1,
        Change::Deleted => {
            statistics.deletes += 1;
            statistics.routes = statistics.routes.saturating_sub(1);
        }
        Change::Absent => statistics.deletes_of_absent += 1,
    }
}
