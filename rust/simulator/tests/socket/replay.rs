//! Replays a recorded conversation with a real VPP: the simulator answers each request as VPP did,
//! byte for byte, except for message ids, stats indices and the process id.

use std::collections::{BTreeMap, BTreeSet};

use super::support::{Client, Harness, reply_context};
use bgpreflector_core::vpp::bytes::{message_id, request_header};
use bgpreflector_core::vpp::frame::HEADER_LENGTH;
use bgpreflector_core::vpp::path::PATH_LENGTH;
use bgpreflector_core::vpp::{MessageTable, SockclntCreateReply, begin_frame};

/// The first context of a request after the handshake, which has one of its own.
const HANDSHAKE: u32 = 0x7c;
/// VPP's answer to these is not recorded (too long, or its version): they must succeed.
const UNRECORDED: [&str; 2] = ["get_api_json", "show_version"];

struct Recorded {
    step: String,
    is_request: bool,
    message: Vec<u8>,
}

/// The requests with one context, and VPP's replies.
#[derive(Default)]
struct Exchange {
    step: String,
    requests: Vec<Vec<u8>>,
    replies: Vec<Vec<u8>>,
}

fn load(path: &str) -> Vec<Recorded> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Recorded {
    let row: BTreeMap<String, String> = serde_json::from_str(line).unwrap();
    let hex = &row["frame"];
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let frame: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    Recorded {
        step: row["step"].clone(),
        is_request: row["direction"] == "request",
        message: frame[HEADER_LENGTH..].to_vec(),
    }
}

/// Every frame. The steps of `interfaces.jsonl` are complete there, including events, and partial
/// elsewhere.
fn recorded() -> Vec<Recorded> {
    let mut all = load("tests/vectors/interfaces.jsonl");
    let whole: BTreeSet<String> = all.iter().map(|r| r.step.clone()).collect();
    for name in ["session", "routes", "dumps"] {
        let more = load(&format!("../../tests/vectors/vpp/{name}.jsonl"));
        all.extend(more.into_iter().filter(|r| !whole.contains(&r.step)));
    }
    all
}

/// The handshake's reply, and the exchanges by context, which the client increments: the order.
fn conversation() -> (SockclntCreateReply, BTreeMap<u32, Exchange>) {
    let all = recorded();
    let is_handshake = |r: &&Recorded| r.step == "connect" && !r.is_request;
    let handshake = all.iter().find(is_handshake).unwrap();
    let handshake = SockclntCreateReply::decode(&handshake.message).unwrap();
    let names = &handshake.table;
    let contexts: BTreeMap<String, u32> = all
        .iter()
        .filter(|r| r.is_request && r.step != "connect")
        .map(|r| (r.step.clone(), request_header(&r.message).unwrap().1))
        .collect();
    let mut exchanges: BTreeMap<u32, Exchange> = BTreeMap::new();
    for Recorded {
        step,
        is_request,
        message,
    } in all
    {
        let name = name(names, &message);
        let context = match (name, is_request) {
            ("sockclnt_create" | "sockclnt_create_reply", _) => continue,
            ("sw_interface_event", _) => contexts[&step],
            (_, true) => request_header(&message).unwrap().1,
            (_, false) => reply_context(&message),
        };
        let exchange = exchanges.entry(context).or_default();
        exchange.step = step;
        let side = match is_request {
            true => &mut exchange.requests,
            false => &mut exchange.replies,
        };
        side.push(message);
    }
    (handshake, exchanges)
}

fn name<'t>(table: &'t MessageTable, message: &[u8]) -> &'t str {
    let id = message_id(message).unwrap();
    table.name(id).map_or("", |(name, _)| name)
}

/// The request as this client sends it to the simulator.
fn translated(client: &Client, recorded: &MessageTable, index: u32, message: &[u8]) -> Vec<u8> {
    let id = message_id(message).unwrap();
    let (name, crc) = recorded.name(id).unwrap();
    let (name, crc) = (name.to_owned(), crc.to_owned());
    let all = bgpreflector_core::vpp::messages::ALL;
    let known = all.iter().find(|m| m.name == name && m.crc == crc);
    let known = known.unwrap_or_else(|| panic!("{name}_{crc} is not served"));
    let mut frame = Vec::new();
    let start = begin_frame(&mut frame);
    frame.extend_from_slice(&client.id(*known).to_be_bytes());
    frame.extend_from_slice(&client.index.to_be_bytes());
    let mut rest = message[6..].to_vec();
    if name == "sockclnt_delete" {
        assert_eq!(rest[4..8], index.to_be_bytes());
        rest[4..8].copy_from_slice(&client.index.to_be_bytes());
    }
    frame.extend_from_slice(&rest);
    start.finish(&mut frame);
    frame
}

/// A message without sender-specific data: its name, and its fields.
fn comparable(table: &MessageTable, index: u32, message: &[u8]) -> (String, Vec<u8>) {
    let name = name(table, message).to_owned();
    let mut fields = message[2..].to_vec();
    let client_index = match name.as_str() {
        "control_ping_reply" => Some(8),
        "sw_interface_event" => Some(0),
        _ => None,
    };
    if let Some(at) = client_index {
        assert_eq!(fields[at..at + 4], index.to_be_bytes(), "{name}");
        fields[at..at + 4].fill(0);
    }
    match name.as_str() {
        // vpe_pid
        "control_ping_reply" => fields[12..16].fill(0),
        // stats_index: any, or none
        "ip_route_add_del_v2_reply" if fields[8..12] != [0xff; 4] => fields[8..12].fill(0),
        "ip_route_v2_details" => sort_paths(&mut fields, 4),
        "ip_route_lookup_v2_reply" => sort_paths(&mut fields, 8),
        _ => {}
    }
    (name, fields)
}

/// Takes the stats index out of the `ip_route_v2` at `at`, and sorts its paths.
fn sort_paths(fields: &mut [u8], at: usize) {
    fields[at + 4..at + 8].fill(0);
    let paths = &mut fields[at + 28..];
    let mut sorted: Vec<Vec<u8>> = paths.chunks(PATH_LENGTH).map(<[u8]>::to_vec).collect();
    sorted.sort();
    paths.copy_from_slice(&sorted.concat());
}

/// Compares the messages, details as a set: VPP's order is arbitrary.
fn compare(step: &str, theirs: Vec<(String, Vec<u8>)>, ours: Vec<(String, Vec<u8>)>) {
    let hex = |(name, fields): (String, Vec<u8>)| {
        let fields: String = fields.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{name} {fields}")
    };
    let split = |messages: Vec<(String, Vec<u8>)>| {
        let (details, rest): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .map(hex)
            .partition(|text| text.contains("_details "));
        let mut details = details;
        details.sort();
        (details, rest)
    };
    assert_eq!(split(ours), split(theirs), "{step}: ours, theirs");
}

#[test]
fn the_simulator_answers_as_vpp_did() {
    let (handshake, exchanges) = conversation();
    let harness = Harness::new();
    let mut client = harness.client();
    let mut compared = 0;
    for (context, exchange) in exchanges {
        assert_ne!(context, HANDSHAKE);
        let step = &exchange.step;
        assert!(!exchange.requests.is_empty(), "{step} has no request");
        for request in &exchange.requests {
            let frame = translated(&client, &handshake.table, handshake.index, request);
            client.send(&frame);
        }
        if exchange.replies.is_empty() {
            let asked = name(&handshake.table, &exchange.requests[0]);
            assert!(
                UNRECORDED.contains(&asked),
                "{step}: {asked} was not answered"
            );
            let reply = client.receive();
            assert_eq!(client.name(&reply), format!("{asked}_reply"));
            assert_eq!(reply[2..6], context.to_be_bytes());
            assert_eq!(reply[6..10], [0; 4], "{step}: retval");
            continue;
        }
        let theirs: Vec<_> = exchange
            .replies
            .iter()
            .map(|message| comparable(&handshake.table, handshake.index, message))
            .collect();
        let ours = theirs
            .iter()
            .map(|_| {
                let message = client.receive();
                comparable(&client.table, client.index, &message)
            })
            .collect();
        compared += theirs.len();
        compare(step, theirs, ours);
    }
    assert_eq!(
        client.try_receive(),
        Err(0),
        "VPP closes after sockclnt_delete"
    );
    assert_eq!(compared, 82);
}

#[test]
fn the_message_table_names_messages_as_vpp_does() {
    let (handshake, _) = conversation();
    let harness = Harness::new();
    let client = harness.client();
    let ours = (0..=u16::MAX).filter_map(|id| client.table.name(id));
    let theirs: BTreeSet<_> = (0..=u16::MAX)
        .filter_map(|id| handshake.table.name(id))
        .collect();
    for (name, crc) in ours {
        assert!(theirs.contains(&(name, crc)), "{name}_{crc}: not VPP's");
    }
    for message in bgpreflector_core::vpp::messages::ALL {
        // VPP lists the messages without fixed ids; both must list the same name and CRC.
        assert!(client.table.id(*message).is_ok(), "{message}");
        assert!(handshake.table.id(*message).is_ok(), "{message}: not VPP's");
    }
}
