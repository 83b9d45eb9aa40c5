//! The recorded handshake, pings, tables and sources, byte for byte.

use std::collections::BTreeMap;

use super::vectors::{Direction, Recorded, load};
use bgpreflector_core::route::Family;
use bgpreflector_core::vpp::{
    ControlPingReply, EmptyRequest, FibSourceAdd, FibSourceAddReply, FibSourceDetails,
    IpTableAddDel, IpTableDetails, MessageError, MessageName, MessageTable, PlainReply,
    SockclntCreate, SockclntCreateReply, SockclntDelete, messages,
};

fn create_reply(session: &[Recorded]) -> SockclntCreateReply {
    let recorded = session
        .iter()
        .find(|frame| frame.id() == messages::SOCKCLNT_CREATE_REPLY_ID)
        .unwrap();
    SockclntCreateReply::decode(recorded.message()).unwrap()
}

fn table() -> MessageTable {
    create_reply(&load("session")).table
}

#[test]
fn the_handshake_gives_the_index_and_every_message_spoken() {
    let session = load("session");
    let create = SockclntCreate::decode(session[0].message()).unwrap();
    assert_eq!((create.context, &*create.name), (124, "recorder"));
    let mut bytes = Vec::new();
    create.encode(&mut bytes).unwrap();
    assert_eq!(bytes, session[0].frame);

    let reply = create_reply(&session);
    assert_eq!((reply.context, reply.response), (124, 0));
    assert_eq!(reply.index, 0x8000_0001);
    assert_eq!(reply.table.len(), 878);
    for message in messages::ALL {
        reply.table.id(*message).unwrap();
    }
    assert_eq!(reply.table.id(messages::IP_ROUTE_ADD_DEL_V2), Ok(400));
    assert_eq!(
        reply.table.name(402),
        Some(("ip_route_add_del_v2_reply", "1992deab"))
    );
}

#[test]
fn the_reply_with_the_message_table_is_written_to_the_byte() {
    let session = load("session");
    let recorded = &session[1];
    // Id, four words and the count come before the entries of u16 and name[64].
    let entries: Vec<(u16, &str)> = recorded.message()[20..]
        .chunks_exact(66)
        .map(|entry| {
            let text = entry[2..].split(|byte| *byte == 0).next().unwrap();
            (
                u16::from_be_bytes([entry[0], entry[1]]),
                std::str::from_utf8(text).unwrap(),
            )
        })
        .collect();
    let mut bytes = Vec::new();
    SockclntCreateReply::encode(&mut bytes, 124, 0x8000_0001, entries).unwrap();
    assert_eq!(bytes[16..], *recorded.message());
}

/// Reads the message and writes it again: the frame.
fn round_trip(name: &str, recorded: &Recorded) -> Vec<u8> {
    let (message, id) = (recorded.message(), recorded.id());
    let mut out = Vec::new();
    match name {
        "get_api_json" | "show_version" | "fib_source_dump" | "ip_table_dump" | "control_ping" => {
            EmptyRequest::decode(message).unwrap().encode(id, &mut out);
        }
        "control_ping_reply" => ControlPingReply::decode(message)
            .unwrap()
            .encode(id, &mut out),
        "ip_table_add_del_reply"
        | "want_interface_events_reply"
        | "sockclnt_delete_reply"
        | "sw_interface_set_flags_reply" => {
            PlainReply::decode(message).unwrap().encode(id, &mut out);
        }
        "fib_source_add" => FibSourceAdd::decode(message)
            .unwrap()
            .encode(id, &mut out)
            .unwrap(),
        "fib_source_add_reply" => FibSourceAddReply::decode(message)
            .unwrap()
            .encode(id, &mut out),
        "fib_source_details" => {
            FibSourceDetails::decode(message)
                .unwrap()
                .encode(id, &mut out)
                .unwrap();
        }
        "ip_table_add_del" => IpTableAddDel::decode(message)
            .unwrap()
            .encode(id, &mut out)
            .unwrap(),
        "ip_table_details" => {
            IpTableDetails::decode(message)
                .unwrap()
                .encode(id, &mut out)
                .unwrap();
        }
        "sockclnt_delete" => SockclntDelete::decode(message)
            .unwrap()
            .encode(id, &mut out),
        other => panic!("no codec for the recorded message {other}"),
    }
    out
}

#[test]
fn every_other_message_is_read_and_written_to_the_byte() {
    let table = table();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for recorded in &load("session")[2..] {
        let name = table.name(recorded.id()).unwrap().0;
        let bytes = round_trip(name, recorded);
        assert_eq!(bytes[16..], *recorded.message(), "{}", recorded.step);
        if recorded.direction == Direction::Request {
            assert_eq!(bytes, recorded.frame, "{}", recorded.step);
        }
        *seen.entry(name.to_owned()).or_default() += 1;
    }
    assert_eq!(seen.len(), 16, "{seen:?}");
    assert_eq!(seen["fib_source_details"], 25);
}

#[test]
fn sources_and_tables_are_read_with_their_values() {
    let table = table();
    let mut sources = Vec::new();
    let mut tables = Vec::new();
    for recorded in load("session") {
        if Ok(recorded.id()) == table.id(messages::FIB_SOURCE_DETAILS) {
            let source = FibSourceDetails::decode(recorded.message()).unwrap().source;
            sources.push((source.id, source.priority, source.name.into_owned()));
        }
        if Ok(recorded.id()) == table.id(messages::IP_TABLE_DETAILS) {
            let table = IpTableDetails::decode(recorded.message()).unwrap().table;
            tables.push((table.family, table.table, table.name.into_owned()));
        }
    }
    let api = sources.iter().find(|(_, _, name)| name == "API").unwrap();
    assert_eq!(api.1, 0x80);
    tables.sort_by_key(|(family, table, _)| (*family, *table));
    let expected = [
        (Family::V4, 0, "ipv4-VRF:0"),
        (Family::V4, 10, "recorder-10"),
        (Family::V6, 0, "ipv6-VRF:0"),
        (Family::V6, 10, "recorder-10"),
    ];
    let expected = expected.map(|(family, table, name)| (family, table, name.to_owned()));
    assert_eq!(tables, expected);
}

#[test]
fn a_message_that_vpp_lacks_or_has_otherwise_is_named() {
    const UNKNOWN: MessageName = MessageName {
        name: "no_such_message",
        crc: "00000000",
    };
    const OTHER: MessageName = MessageName {
        name: "ip_route_add_del_v2",
        crc: "12345678",
    };
    let table = table();
    assert!(matches!(
        table.id(UNKNOWN),
        Err(MessageError::Missing { .. })
    ));
    assert_eq!(
        table.id(OTHER).unwrap_err().to_string(),
        "this VPP's message ip_route_add_del_v2 has the CRC 521ef330 and not 12345678: its \
         layout differs from the one this program writes"
    );
}
