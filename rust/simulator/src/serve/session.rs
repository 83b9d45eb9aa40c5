//! The session: handshake, description, pings, version, CLI.

use bgpreflector_core::vpp::bytes::Reader;
use bgpreflector_core::vpp::{
    ControlPingReply, SockclntCreate, SockclntCreateReply, SockclntDelete, WireError, messages as m,
};

use super::request::{Request, id_of, without_surplus};
use crate::cli;
use crate::client::Client;
use crate::description as d;
use crate::reply::Reply;
use crate::state::State;

pub(super) fn create(state: &State, client: &mut Client, payload: &[u8]) -> Result<(), WireError> {
    let request = SockclntCreate::decode(payload)?;
    let table = state.description.table();
    let entries = table.iter().map(|(id, name)| (*id, name.as_str()));
    SockclntCreateReply::encode(&mut client.out, request.context, client.index, entries)
}

pub(super) fn serve(
    state: &State,
    client: &mut Client,
    request: &Request<'_>,
) -> Result<(), WireError> {
    let (context, client_index) = (request.context, client.index);
    let out = &mut client.out;
    match request.message {
        m::SOCKCLNT_DELETE => return delete(client, request),
        m::GET_API_JSON => {
            let reply = Reply::new(out, id_of(m::GET_API_JSON_REPLY), context);
            reply.i32(0).string(&state.description.json()).finish();
        }
        m::SHOW_VERSION => {
            let reply = Reply::new(out, id_of(m::SHOW_VERSION_REPLY), context).i32(0);
            let reply = reply.text("vpe", 32).text(state.version(), 32);
            reply.text(cli::BUILT, 32).text("/", 256).finish();
        }
        m::CLI_INBAND => {
            let mut reader = Reader::message("cli_inband", request.payload)?;
            reader.slice(8)?;
            let length = reader.u32()?;
            let command = String::from_utf8_lossy(reader.slice(length as usize)?).into_owned();
            let (retval, text) = cli::run(state, command.trim());
            let reply = Reply::new(out, id_of(m::CLI_INBAND_REPLY), context);
            reply.i32(retval).string(&text).finish();
        }
        d::API_VERSIONS => {
            let reply = Reply::new(out, id_of(d::API_VERSIONS_REPLY), context);
            reply.i32(0).u32(0).finish();
        }
        _ => ControlPingReply {
            context,
            retval: 0,
            client_index,
            vpe_pid: std::process::id(),
        }
        .encode(id_of(m::CONTROL_PING_REPLY), out),
    }
    Ok(())
}

/// VPP closes the connection, unless the request names another client.
fn delete(client: &mut Client, request: &Request<'_>) -> Result<(), WireError> {
    let wanted = without_surplus(request.payload, SockclntDelete::decode)?.index;
    let own = wanted == client.index;
    let reply = id_of(m::SOCKCLNT_DELETE_REPLY);
    let reply = Reply::new(&mut client.out, reply, request.context);
    reply.i32(if own { 1 } else { -1 }).finish();
    client.leaving = own;
    Ok(())
}
