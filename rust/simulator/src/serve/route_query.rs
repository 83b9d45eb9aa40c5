//! Dumps and lookups, in both versions of their messages.

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::vpp::address::family_of;
use bgpreflector_core::vpp::bytes::Reader;
use bgpreflector_core::vpp::{
    IpRoute, PathBytes, RouteDetails, RouteDump, RouteLookup, RouteLookupReply, WireError,
    messages as m,
};

use super::request::{Request, id_of};
use crate::fib::Best;
use crate::retval;
use crate::state::State;

pub(super) fn serve(
    state: &State,
    request: &Request<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    match request.message {
        m::IP_ROUTE_V2_DUMP => {
            let query = RouteDump::decode(request.payload)?;
            let wanted = (query.table, query.family);
            let details = id_of(m::IP_ROUTE_V2_DETAILS);
            dump(
                state,
                wanted,
                query.source,
                query.context,
                Some(details),
                out,
            )
        }
        m::IP_ROUTE_DUMP => {
            let mut reader = Reader::message("ip_route_dump", request.payload)?;
            reader.slice(8)?;
            let wanted = (reader.u32()?, family_of(reader.bool()?));
            dump(state, wanted, 0, request.context, None, out)
        }
        // The requests of both versions have the same layout.
        _ => lookup(state, request, &RouteLookup::decode(request.payload)?, out),
    }
}

/// The route as shown; without a source in version 1.
fn shown<'a>(best: &Best<'_>, is_v2: bool, bytes: &'a [u8]) -> Result<IpRoute<'a>, WireError> {
    let (table, prefix) = best.key;
    Ok(IpRoute {
        table,
        stats_index: best.stats_index,
        prefix,
        source: is_v2.then_some(best.source),
        paths: PathBytes::read(&mut Reader::new("paths", bytes), best.set.count())?,
    })
}

/// VPP shows a prefix only under the source that forwards it.
fn dump(
    state: &State,
    (table, family): (u32, Family),
    source: u8,
    context: u32,
    v2: Option<u16>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    if !state.tables.has(table, family) {
        return Ok(());
    }
    let details = v2.unwrap_or_else(|| id_of(m::IP_ROUTE_DETAILS));
    for best in state.fib.all(&state.sources) {
        let ours = source == 0 || source == best.source;
        if !ours || best.key.0 != table || best.key.1.family() != family {
            continue;
        }
        let bytes = best.set.shown(&best.key.1);
        let route = shown(&best, v2.is_some(), &bytes)?;
        RouteDetails { context, route }.encode(details, out);
    }
    Ok(())
}

fn lookup(
    state: &State,
    request: &Request<'_>,
    query: &RouteLookup,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let is_v2 = request.message == m::IP_ROUTE_LOOKUP_V2;
    let (table, prefix, sources) = (query.table, query.prefix, &state.sources);
    let found = match (state.tables.has(table, prefix.family()), query.exact) {
        (false, _) => Err(retval::NO_SUCH_FIB),
        (true, true) => state
            .fib
            .best(&(table, prefix), sources)
            .ok_or(retval::NO_SUCH_ENTRY),
        (true, false) => {
            let found = state.fib.lookup(table, &prefix, sources);
            found.ok_or(retval::NO_SUCH_ENTRY)
        }
    };
    let bytes = found.as_ref().ok().map(|best| best.set.shown(&best.key.1));
    let (retval, route) = match (&found, &bytes) {
        (Ok(best), Some(bytes)) => (0, shown(best, is_v2, bytes)?),
        (Err(retval), _) => (*retval, nothing(is_v2)),
        (Ok(_), None) => (retval::NO_SUCH_ENTRY, nothing(is_v2)),
    };
    let reply = match is_v2 {
        true => m::IP_ROUTE_LOOKUP_V2_REPLY,
        false => m::IP_ROUTE_LOOKUP_REPLY,
    };
    let context = request.context;
    let answer = RouteLookupReply {
        context,
        retval,
        route,
    };
    answer.encode(id_of(reply), out);
    Ok(())
}

/// All zeros, as in VPP's reply for a route that it did not find.
fn nothing(is_v2: bool) -> IpRoute<'static> {
    IpRoute {
        table: 0,
        stats_index: 0,
        prefix: Prefix::v4(0, 0),
        source: is_v2.then_some(0),
        paths: PathBytes::default(),
    }
}
