//! Tables.

use bgpreflector_core::route::Family;
use bgpreflector_core::vpp::address::family_of;
use bgpreflector_core::vpp::bytes::Reader;
use bgpreflector_core::vpp::{IpTable, IpTableAddDel, IpTableDetails, WireError, messages as m};

use super::request::{Request, id_of, reply};
use crate::description as d;
use crate::reply::Reply;
use crate::retval;
use crate::state::State;

/// A table id that requests any.
const ANY: u32 = u32::MAX;

pub(super) fn serve(
    state: &mut State,
    request: &Request<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    match request.message {
        m::IP_TABLE_ADD_DEL => {
            let change = IpTableAddDel::decode(request.payload)?;
            let table = change.table;
            add_del(state, change.is_add, table.table, table.family, &table.name);
            reply(out, m::IP_TABLE_ADD_DEL_REPLY, request.context, 0);
        }
        d::IP_TABLE_ADD_DEL_V2 => {
            let mut reader = Reader::message("ip_table_add_del_v2", request.payload)?;
            reader.slice(8)?;
            let (table, family) = (reader.u32()?, family_of(reader.bool()?));
            let name = reader.name()?;
            let (_create_mfib, is_add) = (reader.bool()?, reader.bool()?);
            add_del(state, is_add, table, family, &name);
            reply(out, d::IP_TABLE_ADD_DEL_V2_REPLY, request.context, 0);
        }
        d::IP_TABLE_ALLOCATE => allocate(state, request, out)?,
        _ => {
            for (table, family, name) in state.tables.all() {
                let name = name.into();
                let table = IpTable {
                    table,
                    family,
                    name,
                };
                let context = request.context;
                IpTableDetails { context, table }.encode(id_of(m::IP_TABLE_DETAILS), out)?;
            }
        }
    }
    Ok(())
}

fn add_del(state: &mut State, is_add: bool, table: u32, family: Family, name: &str) {
    match is_add {
        true => state.tables.add(table, family, name, &mut state.fib),
        false => state.tables.remove(table, family),
    }
}

fn allocate(state: &mut State, request: &Request<'_>, out: &mut Vec<u8>) -> Result<(), WireError> {
    let mut reader = Reader::message("ip_table_allocate", request.payload)?;
    reader.slice(8)?;
    let (wanted, is_ip6) = (reader.u32()?, reader.bool()?);
    let (family, name) = (family_of(is_ip6), reader.name()?);
    let table = match wanted {
        ANY => state.tables.unused(family),
        wanted => Some(wanted),
    };
    if let Some(table) = table {
        state.tables.add(table, family, &name, &mut state.fib);
    }
    let retval = table.map_or(retval::EAGAIN, |_| 0);
    let reply = Reply::new(out, id_of(d::IP_TABLE_ALLOCATE_REPLY), request.context);
    let reply = reply.i32(retval).u32(table.unwrap_or(ANY));
    reply.u8(is_ip6.into()).text(&name, 64).finish();
    Ok(())
}
