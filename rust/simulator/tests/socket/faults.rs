//! Each fault does what it says, nothing else, and can be cleared.

use super::support::requests::{Ask, prefix, via};
use super::support::{Client, Harness};
use bgpreflector_core::vpp::{messages as m, route::decode_route_add_del_v2};
use bgpreflector_simulator::{Fault, SimulatorError};

const P: &str = "198.51.100.0/24";
const Q: &str = "203.0.113.0/24";
const REFUSED: i32 = -52;

fn replace<'a>(prefix: &'a str, paths: &'a [bgpreflector_core::route::Path]) -> Ask<'a> {
    Ask::replace(8, prefix, paths)
}

fn drop_after(after: u64, mid_frame: bool) -> Fault {
    Fault::Drop { after, mid_frame }
}

#[test]
fn a_rate_limit_loses_nothing() {
    let harness = Harness::new();
    let mut client = harness.client();
    harness.order(Fault::RateLimit { per_second: 1000 });
    let paths = [via("10.0.0.7")];
    let contexts: Vec<u32> = (0..250).map(|_| client.ask(&replace(P, &paths))).collect();
    for context in contexts {
        assert_eq!(client.retval(context), 0);
    }
    assert_eq!(harness.simulator.statistics().route_requests, 250);
}

#[test]
fn a_rate_limit_holds_requests_back_until_it_is_taken_back() {
    let harness = Harness::new();
    let mut client = harness.client();
    harness.order(Fault::RateLimit { per_second: 1 });
    let paths = [via("10.0.0.7")];
    let asked: Vec<_> = (0..200)
        .map(|_| client.frame(&replace(P, &paths)))
        .collect();
    let (frames, contexts): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    // In one piece: sent one by one they would fill the socket's buffer and block.
    client.send(&frames.concat());
    harness.wait_for("a first request", |s| s.route_requests > 0);
    // All 200 would take more than three minutes.
    assert!(harness.simulator.statistics().route_requests < 100);
    harness.order(Fault::RateLimit { per_second: 0 });
    for context in contexts {
        assert_eq!(client.retval(context), 0);
    }
}

#[test]
fn the_nth_request_is_refused_once() {
    let harness = Harness::new();
    let mut client = harness.client();
    let paths = [via("10.0.0.7")];
    let (nth, retval, every) = (3, REFUSED, false);
    harness.order(Fault::FailNth { nth, retval, every });
    let said: Vec<i32> = (0..7).map(|_| client.route(&replace(P, &paths))).collect();
    assert_eq!(said, [0, 0, REFUSED, 0, 0, 0, 0]);
    assert_eq!(harness.simulator.statistics().refused, 1);
}

#[test]
fn every_nth_request_is_refused() {
    let harness = Harness::new();
    let mut client = harness.client();
    let paths = [via("10.0.0.7")];
    let (nth, retval, every) = (3, REFUSED, true);
    harness.order(Fault::FailNth { nth, retval, every });
    let said: Vec<i32> = (0..7).map(|_| client.route(&replace(P, &paths))).collect();
    assert_eq!(said, [0, 0, REFUSED, 0, 0, REFUSED, 0]);
}

#[test]
fn a_refused_request_changes_nothing() {
    let harness = Harness::new();
    let mut client = harness.client();
    let (old, new) = ([via("10.0.0.7")], [via("10.0.0.8")]);
    assert_eq!(client.route(&replace(P, &old)), 0);
    let retval = REFUSED;
    let refuse = |prefix: &str, retval| Fault::FailPrefix {
        prefix: prefix.into(),
        retval,
    };
    harness.order(refuse(P, retval));
    assert_eq!(client.route(&replace(P, &new)), REFUSED);
    assert_eq!(client.route(&Ask::delete(8, P)), REFUSED);
    assert_eq!(client.route(&replace(Q, &new)), 0);
    assert_eq!(client.lookup(P, true).unwrap().2.paths(), old);
    harness.order(refuse(P, 0));
    assert_eq!(client.route(&replace(P, &new)), 0);
    assert_eq!(client.lookup(P, true).unwrap().2.paths(), new);
}

#[test]
fn what_a_fault_names_must_exist() {
    let harness = Harness::new();
    let no_prefix = Fault::FailPrefix {
        prefix: "198.51.100.0/33".into(),
        retval: -1,
    };
    let no_message = Fault::ChangeCrc {
        message: "ip_route_add_del_v9".into(),
        crc: "00000000".into(),
    };
    for fault in [no_prefix, no_message] {
        let error = harness.simulator.fault(fault).unwrap_err();
        assert!(matches!(error, SimulatorError::Fault(_)), "{error}");
    }
}

#[test]
fn a_stalled_simulator_answers_after_it_resumes() {
    let harness = Harness::new();
    let mut client = harness.client();
    harness.order(Fault::Stall { on: true });
    let paths = [via("10.0.0.7")];
    let context = client.ask(&replace(P, &paths));
    // A second client is accepted in a turn after the request arrived, and that turn has skipped the
    // request.
    let mut other = Client::without_handshake(&harness.socket());
    harness.wait_for("the second client", |s| s.clients == 2);
    assert_eq!(harness.simulator.statistics().route_requests, 0);
    harness.order(Fault::Stall { on: false });
    assert_eq!(client.retval(context), 0);
    other.send(&[0; 20]);
    assert_eq!(other.try_receive(), Err(0), "nonsense ends a connection");
    harness.wait_for("one client left", |s| s.clients == 1);
}

#[test]
fn a_mute_simulator_forgets_what_it_is_asked() {
    let harness = Harness::new();
    let mut client = harness.client();
    harness.order(Fault::Mute { on: true });
    let paths = [via("10.0.0.7")];
    for _ in 0..100 {
        client.ask(&replace(P, &paths));
    }
    // A malformed message of another client shows that the earlier requests were read as well.
    let mut stranger = Client::without_handshake(&harness.socket());
    stranger.send(&[0; 20]);
    assert_eq!(stranger.try_receive(), Err(0));
    harness.order(Fault::Mute { on: false });
    let before = client.ping();
    assert_eq!(before, Vec::<Vec<u8>>::new());
    assert_eq!(harness.simulator.statistics().route_requests, 0);
}

#[test]
fn connections_are_dropped_at_once_and_routes_stay() {
    let harness = Harness::new();
    let (mut one, mut two) = (harness.client(), harness.client());
    let paths = [via("10.0.0.7")];
    assert_eq!(one.route(&replace(P, &paths)), 0);
    harness.order(drop_after(0, false));
    assert_eq!(one.try_receive(), Err(0));
    assert_eq!(two.try_receive(), Err(0));
    let mut again = harness.client();
    assert_eq!(again.lookup(P, true).unwrap().2.paths(), paths);
}

#[test]
fn connections_are_dropped_after_the_nth_request_is_answered() {
    let harness = Harness::new();
    let (mut client, mut other) = (harness.client(), harness.client());
    harness.order(drop_after(3, false));
    let paths = [via("10.0.0.7")];
    let mut frames = Vec::new();
    let mut contexts = Vec::new();
    for _ in 0..10 {
        let (frame, context) = client.frame(&replace(P, &paths));
        frames.extend(frame);
        contexts.push(context);
    }
    client.send(&frames);
    for context in &contexts[..3] {
        assert_eq!(client.retval(*context), 0);
    }
    assert_eq!(client.try_receive(), Err(0));
    assert_eq!(other.try_receive(), Err(0));
    assert_eq!(harness.simulator.statistics().route_requests, 3);
    let mut again = harness.client();
    assert_eq!(again.route(&replace(P, &paths)), 0, "only once");
}

#[test]
fn a_drop_in_mid_frame_leaves_half_a_reply() {
    let harness = Harness::new();
    let mut client = harness.client();
    harness.order(drop_after(2, true));
    let paths = [via("10.0.0.7")];
    let first = client.ask(&replace(P, &paths));
    client.ask(&replace(P, &paths));
    assert_eq!(client.retval(first), 0);
    assert_eq!(client.try_receive(), Err(16 + 14 - 5));
}

#[test]
fn a_rate_limited_request_counts_towards_a_drop() {
    let harness = Harness::new();
    let mut client = harness.client();
    let paths = [via("10.0.0.7")];
    harness.order(Fault::RateLimit { per_second: 1 });
    harness.order(drop_after(2, false));
    let contexts = [0; 2].map(|_| client.ask(&replace(P, &paths)));
    for context in contexts {
        assert_eq!(client.retval(context), 0);
    }
    assert_eq!(client.try_receive(), Err(0));
}

#[test]
fn a_restart_forgets_everything_and_shifts_the_interfaces() {
    let harness = Harness::new();
    let mut client = harness.client();
    let source = client.add_source("test", 200);
    let paths = [via("10.0.0.7")];
    assert_eq!(client.route(&Ask::replace(source, P, &paths)), 0);
    assert_eq!(harness.simulator.snapshot("test").len(), 1);
    harness.order(Fault::Restart { shift: 5 });
    assert_eq!(client.try_receive(), Err(0));
    let mut client = harness.client();
    assert!(!client.dump(0).iter().any(|(shown, ..)| *shown == prefix(P)));
    assert_eq!(harness.simulator.snapshot("test"), []);
    assert_eq!(harness.simulator.statistics().routes, 0);
    let bad = client.route(&Ask::replace(source, P, &paths));
    assert_ne!(bad, 0, "the source is gone");
    assert_eq!(client.route(&replace(P, &paths)), -54, "loop0 is elsewhere");
    client.request(
        m::SW_INTERFACE_DUMP,
        &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0],
    );
    let shown = client.ping();
    let index = |message: &Vec<u8>| u32::from_be_bytes(message[6..10].try_into().unwrap());
    let indices: Vec<u32> = shown.iter().map(index).collect();
    assert_eq!(indices, [0, 6, 7]);
}

#[test]
fn a_changed_crc_is_in_the_table_and_in_the_description() {
    let harness = Harness::new();
    let mut before = harness.client();
    harness.order(Fault::ChangeCrc {
        message: m::IP_TABLE_DUMP.name.into(),
        crc: "deadbeef".into(),
    });
    let mut client = harness.client();
    assert!(client.table.id(m::IP_TABLE_DUMP).is_err());
    assert!(before.table.id(m::IP_TABLE_DUMP).is_ok());
    let others = m::ALL.iter().filter(|other| **other != m::IP_TABLE_DUMP);
    for other in others {
        assert!(client.table.id(*other).is_ok(), "{other}");
    }
    let named: Vec<String> = (0..=u16::MAX)
        .filter_map(|id| before.table.name(id))
        .map(|(name, crc)| format!("{name}_{crc}"))
        .collect();
    let crcs = crcs(&client.call(m::GET_API_JSON, &[]));
    assert_eq!(crcs["ip_table_dump"], "0xdeadbeef");
    for (name, crc) in crcs.iter().filter(|(name, _)| *name != "ip_table_dump") {
        assert!(
            named.contains(&format!("{name}_{}", &crc[2..])),
            "{name} {crc}"
        );
    }
    assert_eq!(before.ping(), Vec::<Vec<u8>>::new());
}

/// The CRC of each message in a `get_api_json_reply`.
fn crcs(reply: &[u8]) -> std::collections::BTreeMap<String, String> {
    let modules: serde_json::Value = serde_json::from_slice(&reply[14..]).unwrap();
    let messages = modules[0]["messages"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let crc = |message: &serde_json::Value| {
        let last = message.as_array().unwrap().last().unwrap();
        (text(&message[0]), text(&last["crc"]))
    };
    messages.iter().map(crc).collect()
}

#[test]
fn clear_takes_back_all_faults() {
    let harness = Harness::new();
    let mut client = harness.client();
    let (nth, retval, every) = (1, REFUSED, true);
    harness.order(Fault::FailNth { nth, retval, every });
    let prefix = P.into();
    harness.order(Fault::FailPrefix { prefix, retval });
    harness.order(Fault::RateLimit { per_second: 1 });
    harness.order(drop_after(1, false));
    harness.order(Fault::Stall { on: true });
    harness.order(Fault::Mute { on: true });
    harness.order(Fault::Clear);
    let paths = [via("10.0.0.7")];
    for _ in 0..200 {
        assert_eq!(client.route(&replace(P, &paths)), 0);
    }
}

#[test]
fn a_request_with_a_wrong_client_index_is_done_and_not_answered() {
    let harness = Harness::new();
    let mut client = harness.client();
    let paths = [via("10.0.0.7")];
    client.index ^= 1;
    let (frame, _) = client.frame(&replace(P, &paths));
    client.index ^= 1;
    let sent = decode_route_add_del_v2(&frame[16..]).unwrap();
    assert_ne!(sent.client_index, client.index);
    client.send(&frame);
    assert_eq!(client.ping(), Vec::<Vec<u8>>::new());
    assert_eq!(client.lookup(P, true).unwrap().0, prefix(P));
}
