//! What a real VPP 26.10 was seen to do where one would have guessed otherwise.
//! `tests/unit/simulator/test_same_as_vpp.py` asks both.

use super::support::requests::{Ask, prefix, via};
use super::support::{Client, Harness};
use bgpreflector_core::route::{Path, PathType};
use bgpreflector_core::vpp::path::PATH_LENGTH;
use bgpreflector_core::vpp::{MessageName, RouteReply, SockclntDelete, messages as m};

const P: &str = "198.51.100.0/24";
const ALL_ONES: [u8; 4] = [0xff; 4];

fn retval(reply: &[u8]) -> i32 {
    i32::from_be_bytes(reply[6..10].try_into().unwrap())
}

fn word(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

/// Fields of an `ip_route_lookup` or its v2 for `P`.
fn exactly_p() -> Vec<u8> {
    let mut fields = vec![0, 0, 0, 0, 1, 0, 198, 51, 100, 0];
    fields.resize(4 + 1 + 17, 0);
    fields.push(24);
    fields
}

#[test]
fn every_table_has_routes_of_its_own() {
    let harness = Harness::new();
    let mut client = harness.client();
    let shown: Vec<_> = client.dump(0);
    let shown: Vec<_> = shown.iter().map(|(p, s, _)| (p.to_string(), *s)).collect();
    let expected = [
        ("0.0.0.0/0", 20),
        ("0.0.0.0/32", 20),
        ("224.0.0.0/4", 1),
        ("240.0.0.0/4", 1),
        ("255.255.255.255/32", 20),
    ];
    assert_eq!(shown, expected.map(|(p, s)| (p.to_owned(), Some(s))));
    assert_eq!(
        harness.simulator.statistics().routes,
        0,
        "none is a client's"
    );
}

#[test]
fn a_next_hop_in_a_table_that_is_not_there_is_refused() {
    let harness = Harness::new();
    let mut client = harness.client();
    let recursive = |table| Path {
        sw_if_index: Path::NO_INTERFACE,
        table,
        ..via("10.0.0.1")
    };
    assert_eq!(client.route(&Ask::replace(8, P, &[recursive(77)])), -3);
    assert_eq!(client.route(&Ask::replace(8, P, &[recursive(0)])), 0);
}

#[test]
fn next_hops_without_paths_are_refused() {
    let harness = Harness::new();
    let mut client = harness.client();
    let nothing = Ask::replace(8, P, &[]).next_hops();
    assert_eq!(client.route(&nothing), -52);
    let is_add = false;
    assert_eq!(client.route(&Ask { is_add, ..nothing }), -52);
}

#[test]
fn labels_are_shown_as_they_came() {
    let harness = Harness::new();
    let mut client = harness.client();
    let mut labelled = via("10.0.0.1");
    labelled.labels.push(100);
    let (mut frame, context) = client.frame(&Ask::replace(8, P, &[labelled]));
    // TTL and EXP behind is_uniform and label of the first place.
    let stack = frame.len() - PATH_LENGTH + 55;
    assert_eq!(frame[stack..stack + 7], [0, 0, 0, 0, 100, 64, 0]);
    frame[stack] = 1;
    frame[stack + 5..stack + 7].copy_from_slice(&[33, 2]);
    client.send(&frame);
    assert_eq!(client.retval(context), 0);
    let reply = client.call(m::IP_ROUTE_LOOKUP_V2, &exactly_p());
    let stack = reply.len() - PATH_LENGTH + 55;
    assert_eq!(reply[stack..stack + 7], [0, 0, 0, 0, 100, 33, 2]);
}

#[test]
fn a_host_on_a_device_is_shown_with_its_own_address() {
    let harness = Harness::new();
    let mut client = harness.client();
    let mut attached = via("10.0.0.1");
    attached.next_hop = None;
    let host = "198.51.100.7/32";
    let paths = [attached];
    assert_eq!(client.route(&Ask::replace(8, host, &paths)), 0);
    let mut fields = exactly_p();
    fields[9] = 7;
    *fields.last_mut().unwrap() = 32;
    let reply = client.call(m::IP_ROUTE_LOOKUP_V2, &fields);
    let address = reply.len() - PATH_LENGTH + 26;
    assert_eq!(reply[address..address + 4], [198, 51, 100, 7]);
    assert_eq!(client.lookup(host, true).unwrap().2.paths(), paths);
}

#[test]
fn a_prefix_keeps_its_stats_index() {
    let harness = Harness::new();
    let mut client = harness.client();
    let mut index = |p: &str, paths: &[Path]| {
        client.ask(&Ask::replace(8, p, paths));
        RouteReply::decode(&client.receive()).unwrap().stats_index
    };
    let first = index(P, &[via("10.0.0.1")]);
    let other = index("203.0.113.0/24", &[via("10.0.0.1")]);
    assert_eq!(index(P, &[via("10.0.0.2")]), first);
    assert_ne!(first, other);
}

#[test]
fn version_1_shows_the_same_without_source() {
    let harness = Harness::new();
    let mut client = harness.client();
    assert_eq!(client.route(&Ask::replace(8, P, &[via("10.0.0.1")])), 0);
    let v2 = client.call(m::IP_ROUTE_LOOKUP_V2, &exactly_p());
    let v1 = client.call(m::IP_ROUTE_LOOKUP, &exactly_p());
    let source = 10 + 4 + 4 + 18 + 1;
    assert_eq!(v2[source], 8);
    let without = [&v2[6..source], &v2[source + 1..]].concat();
    assert_eq!(v1[6..], without);
    let mut table = vec![0; 4 + 1 + 64];
    client.request(m::IP_ROUTE_DUMP, &table);
    assert_eq!(client.ping().len(), 5 + 1);
    table[3] = 77;
    client.request(m::IP_ROUTE_DUMP, &table);
    assert_eq!(client.ping().len(), 0);
}

#[test]
fn a_freed_index_is_given_again_and_routes_stay() {
    let harness = Harness::new();
    let mut client = harness.client();
    let paths = [via("10.0.0.1")];
    assert_eq!(client.route(&Ask::replace(8, P, &paths)), 0);
    assert_eq!(retval(&client.call(m::DELETE_LOOPBACK, &word(1))), 0);
    assert_eq!(client.lookup(P, true).unwrap().2.paths(), paths);
    assert_eq!(client.route(&Ask::replace(8, P, &paths)), -54);
    let made = client.call(m::CREATE_LOOPBACK, &[0; 6]);
    assert_eq!(made[10..14], word(1));
    assert_eq!(client.route(&Ask::replace(8, P, &paths)), 0);
}

#[test]
fn events_tell_of_changes_only_and_a_registration_is_one() {
    let harness = Harness::new();
    let mut client = harness.client();
    let mut want = |enable: u8| {
        let fields = [0, 0, 0, enable, 0, 0, 0, 7];
        retval(&client.call(m::WANT_INTERFACE_EVENTS, &fields))
    };
    assert_eq!([want(0), want(1), want(1)], [-31, 0, -31]);
    let mut flags = |flags: u8| {
        client.request(m::SW_INTERFACE_SET_FLAGS, &[0, 0, 0, 2, 0, 0, 0, flags]);
        // The reply, and behind it or the first ping's the event.
        client.ping().len() + client.ping().len() - 1
    };
    assert_eq!([flags(1), flags(0), flags(0), flags(1)], [0, 1, 0, 1]);
}

#[test]
fn pairs_come_and_go() {
    let harness = Harness::with(|settings| settings.pairs = vec![("loop0".into(), "e0".into())]);
    let mut client = harness.client();
    let shown = |client: &mut Client| {
        client.request(m::LCP_ITF_PAIR_GET, &[0; 4]);
        let shown = client.ping();
        shown.len() - 1
    };
    let mut add = vec![1, 0, 0, 0, 2, b'e', b'1'];
    add.resize(1 + 4 + 16 + 1 + 32, 0);
    let call = |client: &mut Client, fields: &[u8]| {
        retval(&client.call(m::LCP_ITF_PAIR_ADD_DEL_V2, fields))
    };
    assert_eq!(call(&mut client, &add), 0);
    assert_eq!(call(&mut client, &add), -81);
    assert_eq!(shown(&mut client), 2);
    add[0] = 0;
    assert_eq!(call(&mut client, &add), 0);
    assert_eq!(call(&mut client, &add), -2);
    client.call(m::DELETE_LOOPBACK, &word(1));
    assert_eq!(shown(&mut client), 0, "a pair goes with its interface");
}

#[test]
fn a_deleted_table_keeps_its_routes_for_when_it_is_added_again() {
    let harness = Harness::new();
    let mut client = harness.client();
    let add = |client: &mut Client, is_add: u8| {
        let mut fields = vec![is_add, 0, 0, 0, 9];
        fields.resize(1 + 4 + 1 + 64, 0);
        assert_eq!(retval(&client.call(m::IP_TABLE_ADD_DEL, &fields)), 0);
    };
    let shown = |client: &mut Client| {
        let mut fields = vec![0, 0, 0, 0, 9];
        fields.resize(1 + 4 + 1 + 64, 0);
        client.request(m::IP_ROUTE_V2_DUMP, &fields);
        client.ping().len()
    };
    add(&mut client, 1);
    let (mut frame, context) = client.frame(&Ask::replace(8, P, &[via("10.0.0.1")]));
    frame[16 + 12 + 3] = 9;
    client.send(&frame);
    assert_eq!(client.retval(context), 0);
    assert_eq!(shown(&mut client), 6);
    add(&mut client, 0);
    assert_eq!(shown(&mut client), 0);
    add(&mut client, 1);
    assert_eq!(shown(&mut client), 6);
}

/// VPP drops a message that is too short, takes no notice of bytes behind one, and keeps the client.
#[test]
fn lengths_are_taken_as_vpp_takes_them() {
    let harness = Harness::new();
    let mut client = harness.client();
    let (frame, context) = client.frame(&Ask::replace(8, P, &[via("10.0.0.1")]));
    let with_length = |bytes: &[u8]| {
        let mut frame = Vec::new();
        let start = bgpreflector_core::vpp::begin_frame(&mut frame);
        frame.extend_from_slice(bytes);
        start.finish(&mut frame);
        frame
    };
    client.send(&with_length(&frame[16..frame.len() - 1]));
    assert_eq!(client.ping(), Vec::<Vec<u8>>::new());
    assert!(client.lookup(P, true).is_err());
    client.send(&with_length(&[&frame[16..], b"behind"].concat()));
    assert_eq!(client.retval(context), 0);
    assert_eq!(client.lookup(P, true).unwrap().0, prefix(P));
    client.request(m::SW_INTERFACE_DUMP, &ALL_ONES);
    assert_eq!(client.ping(), Vec::<Vec<u8>>::new());
    client.request(m::FIB_SOURCE_DUMP, b"behind");
    assert_eq!(client.ping().len(), 25);
}

#[test]
fn nothing_is_served_behind_the_end_of_a_session() {
    let harness = Harness::new();
    let mut client = harness.client();
    let another = word(client.index + 50);
    let ends = |client: &mut Client, index: &[u8]| retval(&client.call(m::SOCKCLNT_DELETE, index));
    assert_eq!(ends(&mut client, &another), -1);
    assert_eq!(client.ping(), Vec::<Vec<u8>>::new());
    let (mut frames, (client_index, index)) = (Vec::new(), (client.index, client.index));
    let context = client.context();
    let end = SockclntDelete {
        client_index,
        context,
        index,
    };
    end.encode(client.id(m::SOCKCLNT_DELETE), &mut frames);
    frames.extend(client.frame(&Ask::replace(8, P, &[via("10.0.0.1")])).0);
    client.send(&frames);
    assert_eq!(retval(&client.receive()), 1);
    assert_eq!(client.try_receive(), Err(0));
    assert_eq!(harness.simulator.statistics().route_requests, 0);
}

#[test]
fn a_vpp_without_the_netlink_plugin_has_not_its_sources() {
    let harness = Harness::with(|settings| settings.plugins = vec!["linux_cp_plugin.so".into()]);
    let mut client = harness.client();
    client.request(m::FIB_SOURCE_DUMP, &[]);
    assert_eq!(client.ping().len(), 23);
    assert_eq!(client.add_source("first", 200), 23);
}

#[test]
fn what_drops_is_of_the_type_drop() {
    let harness = Harness::new();
    let mut client = harness.client();
    let through_itself = Path {
        sw_if_index: Path::NO_INTERFACE,
        ..via("198.51.100.0")
    };
    assert_eq!(client.route(&Ask::replace(8, P, &[through_itself])), 0);
    let reply = client.call(m::IP_ROUTE_LOOKUP_V2, &exactly_p());
    let at = reply.len() - PATH_LENGTH + 14;
    assert_eq!(reply[at..at + 4], word(2));
    let paths = client.lookup(P, true).unwrap().2;
    assert_eq!(paths.paths()[0].path_type, PathType::Drop);
}

/// Every message that the description shows has an answer or is one.
#[test]
fn all_messages_of_the_table_have_an_id_of_their_own() {
    let harness = Harness::new();
    let client = harness.client();
    let ids: Vec<u16> = (0..=u16::MAX)
        .filter(|id| client.table.name(*id).is_some())
        .collect();
    assert_eq!(ids.len(), client.table.len());
    let known = |message: &&MessageName| client.table.id(**message).is_ok();
    assert_eq!(m::ALL.iter().filter(known).count(), m::ALL.len());
}
