use bgpreflector_core::netlink::Header;
use bgpreflector_core::netlink::constants::{
    AF_MPLS, NHA_BLACKHOLE, NHA_ID, NLM_F_DUMP_INTR, RTA_DST, RTA_OIF, RTM_DELROUTE, RTM_GETLINK,
    RTM_GETNEXTHOP, RTM_GETROUTE, RTM_NEWLINK, RTM_NEWNEXTHOP, RTM_NEWROUTE,
};
use bgpreflector_core::table::{Link, NextHopObject, Scope};

use super::super::fake_kernel::{attribute, done, fake_kernel, message};
use super::super::namespace::Sockets;
use super::super::poller::Poller;
use super::super::settings::KernelSettings;
use super::*;
use crate::state::EngineState;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shown {
    Complete,
    Interrupted,
    Malformed,
}

/// A kernel with link 2 and next-hop object 2, and a fault in its dumps of those.
fn kernel(shown: Shown) -> impl FnMut(&Header, &[u8]) -> Vec<u8> + Send + 'static {
    move |request, _| {
        let two = 2_u32.to_ne_bytes();
        let (kind, payload) = match request.kind {
            RTM_GETLINK => (
                RTM_NEWLINK,
                [&[0; 4], &two[..], &[1, 0, 0, 0, 0, 0, 0, 0]].concat(),
            ),
            _ => {
                let attributes = [attribute(NHA_ID, &two), attribute(NHA_BLACKHOLE, &[])];
                (
                    RTM_NEWNEXTHOP,
                    [vec![2, 0, 0, 0, 0, 0, 0, 0], attributes.concat()].concat(),
                )
            }
        };
        let flags = match shown {
            Shown::Interrupted => NLM_F_DUMP_INTR,
            _ => 0,
        };
        let mut answer = message(request, kind, flags, &payload);
        if shown == Shown::Malformed {
            answer.extend(message(request, kind, 0, &[0; 2]));
        }
        answer.extend(done(request));
        answer
    }
}

fn monitor(shared: &Arc<EngineState>) -> Monitor {
    let silent = || fake_kernel(|_, _| Vec::new());
    let sockets = Sockets::of(silent(), Dumper::of(silent()));
    let poller = || Arc::new(Poller::new(&sockets.notifications).unwrap());
    let pollers = [poller(), poller()];
    Monitor::new(
        Arc::clone(shared),
        &KernelSettings::default(),
        sockets,
        pollers,
    )
}

/// Which of the links and next-hop objects 1 and 2 remain after dumps of both.
fn left(shown: Shown) -> ([bool; 2], [bool; 2], bool) {
    let shared = Arc::new(EngineState::new(Scope::default()));
    shared.change(|table| {
        for number in [1, 2] {
            let (name, up, carrier) = (format!("k{number}"), true, true);
            let address = None;
            table.link(
                number,
                Link {
                    name,
                    up,
                    carrier,
                    address,
                    vrf_table: None,
                },
            );
            table.next_hop(number, NextHopObject::Blackhole);
        }
    });
    let mut dumper = Dumper::of(fake_kernel(kernel(shown)));
    let mut monitor = monitor(&shared);
    let mut pass = DumpPass::default();
    monitor.dump_links(&mut dumper, &mut pass).unwrap();
    monitor.dump_next_hops(&mut dumper, &mut pass).unwrap();
    let table = shared.table();
    let links = [1, 2].map(|index| table.link_of(index).is_some());
    let objects = [1, 2].map(|id| table.next_hop_object(id).is_some());
    (links, objects, pass.interrupted)
}

/// The requests of a pass, in their order.
fn requests(scope: &DumpScope) -> Vec<u16> {
    let (sender, asked) = crossbeam_channel::unbounded();
    let mut dumper = Dumper::of(fake_kernel(move |request, payload| {
        // Whether it is asked for MPLS depends on this machine.
        if payload.first() != Some(&AF_MPLS) {
            sender.send(request.kind).unwrap();
        }
        done(request)
    }));
    let shared = Arc::new(EngineState::new(Scope::default()));
    monitor(&shared).pass(&mut dumper, scope, 0).unwrap();
    asked.try_iter().collect()
}

#[test]
fn each_pass_waits_for_who_changes_routes_before_it_dumps_them() {
    let (links, objects, routes) = (RTM_GETLINK, RTM_GETNEXTHOP, RTM_GETROUTE);
    let both = [routes, routes];
    let of_interface = requests(&DumpScope::interface(2));
    assert_eq!(of_interface, [&[links][..], &both].concat());
    let of_everything = requests(&DumpScope::Everything);
    assert_eq!(of_everything, [&[links, objects][..], &both].concat());
}

#[test]
fn links_and_objects_are_swept_after_a_whole_dump_alone() {
    let (one, both) = ([false, true], [true, true]);
    assert_eq!(left(Shown::Complete), (one, one, false));
    assert_eq!(left(Shown::Interrupted), (both, both, true));
    assert_eq!(left(Shown::Malformed), (both, both, true));
}

/// A route by label of protocol 12 through interface 2.
fn labelled(request: &Header, kind: u16, label: u32) -> Vec<u8> {
    let rtmsg = vec![AF_MPLS, 20, 0, 0, 254, 12, 0, 1, 0, 0, 0, 0];
    let two = 2_u32.to_ne_bytes();
    let key = attribute(RTA_DST, &(label << 12).to_be_bytes());
    message(
        request,
        kind,
        0,
        &[rtmsg, key, attribute(RTA_OIF, &two)].concat(),
    )
}

fn labels(shared: &EngineState) -> Vec<u32> {
    shared
        .table()
        .label_routes()
        .map(|(label, _)| label)
        .collect()
}

#[test]
fn routes_by_label_are_notified_and_dumped() {
    let shared = Arc::new(EngineState::new(Scope::default()));
    let nobody = Header {
        kind: 0,
        flags: 0,
        sequence: 0,
        port: 0,
    };
    let notify = |kind, label| {
        shared.change(|table| {
            let effects =
                apply::notifications(&shared, table, &labelled(&nobody, kind, label), &mut None);
            assert!(effects.to_verify.is_none());
        });
    };
    for label in [16, 17, 18] {
        notify(RTM_NEWROUTE, label);
    }
    notify(RTM_DELROUTE, 17);
    assert_eq!(labels(&shared), [16, 18]);
    assert_eq!(shared.table().held_routes()["mpls_route"], 2);
    let dump = |broken: bool| {
        let mut dumper = Dumper::of(fake_kernel(move |request, payload| {
            assert_eq!(payload.first(), Some(&AF_MPLS));
            let mut answer = labelled(request, RTM_NEWROUTE, 19);
            if broken {
                answer.extend(message(request, RTM_NEWROUTE, 0, &[0; 2]));
            }
            answer.extend(done(request));
            answer
        }));
        let mut pass = DumpPass::default();
        monitor(&shared)
            .dump_labels(&mut dumper, &mut pass)
            .unwrap();
        assert!(!pass.interrupted, "the prefixes' dumps may be whole");
    };
    dump(true);
    assert_eq!(labels(&shared), [16, 18, 19]);
    dump(false);
    assert_eq!(labels(&shared), [19]);
}
