//! Messages and their handlers.

mod interface;
mod pair;

mod request;
mod route;
mod route_query;
mod session;
mod source;
mod table;

use bgpreflector_core::vpp::bytes::{message_id, request_header};
use bgpreflector_core::vpp::{MessageName, WireError, messages as m};

use crate::client::Client;
use crate::description as d;
use crate::state::State;

use request::{Request, without_surplus};

/// Serves one message; returns whether the client stays connected.
pub(crate) fn serve(state: &mut State, client: &mut Client, payload: &[u8]) -> bool {
    let Some(id) = message_id(payload) else {
        return false;
    };
    if client.leaving {
        return true;
    }
    let before = client.out.len();
    let ids = state.route_ids;
    if id == ids.v2 || id == ids.v1 {
        route::serve(state, id == ids.v2, payload, &mut client.out);
        if state.crashed {
            client.out.truncate(before);
            return true;
        }
        drop_reply_to_wrong_client(client, payload, before);
        return true;
    }
    let Some(message) = state.description.message(id) else {
        log::debug!("a client sent message {id}, which is not served");
        return true;
    };
    *state.statistics.requests.entry(message.name).or_default() += 1;
    if let Err(error) =
        without_surplus(payload, |payload| dispatch(state, client, message, payload))
    {
        client.out.truncate(before);
        log::debug!("a client sent a malformed {}: {error}", message.name);
    }
    let answered = client.out.get_mut(before..).unwrap_or_default();
    state.description.translate(answered);
    if message != m::SOCKCLNT_CREATE {
        drop_reply_to_wrong_client(client, payload, before);
    }
    true
}

/// VPP executes a request with a wrong client index, but has no client to answer.
fn drop_reply_to_wrong_client(client: &mut Client, payload: &[u8], before: usize) {
    if request_header(payload).is_ok_and(|(index, _)| index != client.index) {
        client.out.truncate(before);
    }
}

fn dispatch(
    state: &mut State,
    client: &mut Client,
    message: MessageName,
    payload: &[u8],
) -> Result<(), WireError> {
    if message == m::SOCKCLNT_CREATE {
        return session::create(state, client, payload);
    }
    let (_, context) = request_header(payload)?;
    let request = Request {
        message,
        payload,
        context,
    };
    match message {
        m::MEMCLNT_KEEPALIVE_REPLY => {
            client.keepalive_sent = None;
            Ok(())
        }
        m::SOCKCLNT_DELETE
        | m::CONTROL_PING
        | m::GET_API_JSON
        | m::SHOW_VERSION
        | m::CLI_INBAND
        | d::API_VERSIONS => session::serve(state, client, &request),
        m::WANT_INTERFACE_EVENTS => interface::want_events(client, &request),
        m::SW_INTERFACE_DUMP
        | m::SW_INTERFACE_SET_FLAGS
        | m::CREATE_LOOPBACK
        | d::CREATE_LOOPBACK_INSTANCE
        | m::DELETE_LOOPBACK
        | d::SW_INTERFACE_GET_TABLE
        | d::SW_INTERFACE_ADD_DEL_ADDRESS => interface::serve(state, &request, &mut client.out),
        m::LCP_ITF_PAIR_GET | m::LCP_ITF_PAIR_GET_V2 | m::LCP_ITF_PAIR_ADD_DEL_V2 => {
            pair::serve(state, &request, &mut client.out)
        }
        m::IP_TABLE_ADD_DEL | d::IP_TABLE_ADD_DEL_V2 | d::IP_TABLE_ALLOCATE | m::IP_TABLE_DUMP => {
            table::serve(state, &request, &mut client.out)
        }
        m::FIB_SOURCE_ADD | m::FIB_SOURCE_DUMP => source::serve(state, &request, &mut client.out),
        m::IP_ROUTE_DUMP | m::IP_ROUTE_V2_DUMP | m::IP_ROUTE_LOOKUP | m::IP_ROUTE_LOOKUP_V2 => {
            route_query::serve(state, &request, &mut client.out)
        }
        _ => {
            log::debug!("a client sent {}, which is not served", message.name);
            Ok(())
        }
    }
}
