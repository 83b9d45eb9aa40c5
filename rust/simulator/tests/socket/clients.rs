//! Interaction of clients: slow ones, silent ones, and those that watch interfaces.

use std::time::Duration;

use super::support::requests::{Ask, via};
use super::support::{Client, Harness};
use bgpreflector_core::vpp::{RouteReply, keepalive, messages as m};
use bgpreflector_simulator::Fault;

const P: &str = "198.51.100.0/24";
/// Requests whose replies (30 bytes each) exceed what a socket and the simulator buffer.
const MANY: u64 = 100_000;
/// Requests whose replies fit the simulator's buffer: it always serves as many.
const KEPT: u64 = (1 << 20) / 30;

#[test]
fn a_client_that_does_not_read_blocks_no_other_and_loses_nothing() {
    let harness = Harness::new();
    let mut slow = harness.client();
    let mut other = harness.client();
    let paths = [via("10.0.0.1")];
    let (frame, context) = slow.frame(&Ask::delete(8, P));
    let mut sender = slow.second_handle();
    let sending = std::thread::spawn(move || {
        for _ in 0..MANY {
            sender.send(&frame);
        }
        sender
    });
    harness.wait_for("a backlog", |s| s.route_requests >= KEPT);
    for _ in 0..100 {
        assert_eq!(other.route(&Ask::replace(8, P, &paths)), 0);
    }
    let asked = harness.simulator.statistics().route_requests;
    assert!(asked < MANY, "its requests wait while it does not read");
    for _ in 0..MANY {
        let reply = RouteReply::decode(&slow.receive()).unwrap();
        assert_eq!((reply.context, reply.retval), (context, 0));
    }
    drop(sending.join().unwrap());
    assert_eq!(harness.simulator.statistics().route_requests, MANY + 100);
}

/// Dumps are long answers to short requests, so many requests queue up in the simulator.
#[test]
fn requests_read_before_a_backlog_are_served_after_it() {
    let harness = Harness::new();
    let mut client = harness.client();
    for number in 0..2000 {
        let prefix = format!("10.{}.{}.0/24", number / 256, number % 256);
        let paths = [via("10.0.0.1")];
        assert_eq!(client.route(&Ask::replace(8, &prefix, &paths)), 0);
    }
    let mut fields = vec![0; 1 + 4 + 1 + 64];
    fields[0] = 8;
    for _ in 0..20 {
        client.request(m::IP_ROUTE_V2_DUMP, &fields);
    }
    assert_eq!(client.ping().len(), 20 * 2000);
}

fn with_keepalive() -> Harness {
    Harness::with(|settings| settings.keepalive = Some(Duration::from_millis(250)))
}

#[test]
fn a_silent_client_is_asked_for_life_and_then_dropped() {
    let harness = with_keepalive();
    let mut client = harness.client();
    let asked = client.receive();
    assert_eq!(client.name(&asked), "memclnt_keepalive");
    assert_eq!(client.try_receive(), Err(0));
    harness.wait_for("no client", |s| s.clients == 0);
}

/// Waits for a keepalive, and answers it.
fn answer_keepalive(client: &mut Client) {
    let asked = client.receive();
    assert_eq!(client.name(&asked), "memclnt_keepalive");
    let mut frame = Vec::new();
    let reply = client.id(m::MEMCLNT_KEEPALIVE_REPLY);
    keepalive::answer_keepalive(&asked, reply, &mut frame).unwrap();
    client.send(&frame);
}

#[test]
fn a_client_that_answers_stays() {
    let harness = with_keepalive();
    let mut client = harness.client();
    for _ in 0..4 {
        answer_keepalive(&mut client);
    }
    assert_eq!(harness.simulator.statistics().clients, 1);
}

#[test]
fn nobody_is_dropped_for_silence_while_the_simulator_is_deaf() {
    for fault in [Fault::Stall { on: true }, Fault::Mute { on: true }] {
        let harness = with_keepalive();
        let mut client = harness.client();
        harness.order(fault);
        // A second simulator with the same interval, whose keepalives measure time.
        let clock = with_keepalive();
        let mut witness = clock.client();
        (0..4).for_each(|_| answer_keepalive(&mut witness));
        harness.order(Fault::Clear);
        client.ping();
    }
}

#[test]
fn events_go_to_those_who_want_them() {
    let harness = Harness::new();
    let (mut watcher, mut other) = (harness.client(), harness.client());
    watcher.call(m::WANT_INTERFACE_EVENTS, &[0, 0, 0, 1, 0, 0, 0, 77]);
    other.call(m::SW_INTERFACE_SET_FLAGS, &[0, 0, 0, 2, 0, 0, 0, 0]);
    let event = watcher.receive();
    assert_eq!(watcher.name(&event), "sw_interface_event");
    let mut expected = watcher.index.to_be_bytes().to_vec();
    expected.extend([0, 0, 0, 77, 0, 0, 0, 2, 0, 0, 0, 0, 0]);
    assert_eq!(event[2..], expected);
    assert_eq!(other.ping(), Vec::<Vec<u8>>::new());
    watcher.call(m::WANT_INTERFACE_EVENTS, &[0, 0, 0, 0, 0, 0, 0, 77]);
    other.call(m::SW_INTERFACE_SET_FLAGS, &[0, 0, 0, 2, 0, 0, 0, 1]);
    assert_eq!(watcher.ping(), Vec::<Vec<u8>>::new());
}
