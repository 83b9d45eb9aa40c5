//! The table against a model a person can check at a glance, and a VPP that does what it is told.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, PathSet, Prefix, Route, RouteKey, RouteType,
};
use bgpreflector_core::table::{
    Cursor, Drift, Extent, Handle, Interfaces, Link, PathSetId, Placement, Request, RouteState,
    Scope, Table,
};
use proptest::prelude::*;

const MIRRORED: u8 = 12;
const FOREIGN: u8 = 4;

#[derive(Clone, Debug)]
enum Step {
    Announce {
        prefix: u8,
        metric: u8,
        protocol: u8,
        gateway: u8,
        interface: u8,
    },
    Withdraw {
        prefix: u8,
        metric: u8,
    },
    Map {
        interface: u8,
        sw_if_index: Option<u8>,
    },
    Take {
        limit: usize,
    },
    Begin {
        count: usize,
    },
    Answer {
        count: usize,
        refuse: bool,
    },
    PutBack,
    LoseSession,
    Adopt,
    Retry,
    ResyncWithout {
        prefix: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let protocol = prop_oneof![3 => Just(MIRRORED), 1 => Just(FOREIGN)];
    prop_oneof![
        8 => (0..6_u8, 0..3_u8, protocol, 0..3_u8, 1..4_u8).prop_map(
            |(prefix, metric, protocol, gateway, interface)| Step::Announce {
                prefix, metric, protocol, gateway, interface
            }
        ),
        4 => (0..6_u8, 0..3_u8).prop_map(|(prefix, metric)| Step::Withdraw { prefix, metric }),
        1 => (1..4_u8, proptest::option::of(10..13_u8))
            .prop_map(|(interface, sw_if_index)| Step::Map { interface, sw_if_index }),
        3 => (1..5_usize).prop_map(|limit| Step::Take { limit }),
        3 => (1..5_usize).prop_map(|count| Step::Begin { count }),
        3 => (1..5_usize, prop::bool::weighted(0.2))
            .prop_map(|(count, refuse)| Step::Answer { count, refuse }),
        1 => Just(Step::PutBack),
        1 => Just(Step::LoseSession),
        1 => Just(Step::Adopt),
        1 => Just(Step::Retry),
        1 => (0..6_u8).prop_map(|prefix| Step::ResyncWithout { prefix }),
    ]
}

struct World {
    table: Table,
    /// What the kernel has: by prefix and metric, the protocol and next hop.
    kernel: BTreeMap<(u8, u8), (u8, NextHop)>,
    interfaces: Interfaces,
    vpp: HashMap<Prefix, PathSet>,
    taken: Vec<Handle>,
    in_flight: Vec<Request>,
}

fn name(index: u32) -> String {
    format!("eth{index}")
}

fn prefix(number: u8) -> Prefix {
    Prefix::v4(0x0a00_0000 | u32::from(number) << 8, 24)
}

fn route(number: u8, metric: u8, protocol: u8, hop: &NextHop) -> Route {
    Route {
        key: RouteKey {
            table: 254,
            prefix: prefix(number),
            tos: 0,
            metric: metric.into(),
        },
        protocol,
        set: NextHopSet {
            family: Family::V4,
            route_type: RouteType::Unicast,
            next_hops: NextHopSource::Inline([hop.clone()].into_iter().collect()),
            digest: 0,
        },
    }
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            table: Table::new(Scope::default()),
            kernel: BTreeMap::new(),
            interfaces: Interfaces::default(),
            vpp: HashMap::new(),
            taken: Vec::new(),
            in_flight: Vec::new(),
        };
        world.interfaces.map.insert(name(1), 10);
        for index in 1..4 {
            world.table.link(
                index,
                Link {
                    name: name(index),
                    up: true,
                    carrier: true,
                },
            );
        }
        world.table.set_interfaces(world.interfaces.clone());
        world
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Announce {
                prefix,
                metric,
                protocol,
                gateway,
                interface,
            } => {
                let gateway = IpAddr::V4(Ipv4Addr::new(192, 0, 2, gateway));
                let hop = NextHop::new(Some(gateway), interface.into());
                self.table
                    .announce(route(prefix, metric, protocol, &hop), Placement::Replace);
                self.kernel.insert((prefix, metric), (protocol, hop));
            }
            Step::Withdraw { prefix, metric } => {
                if let Some((protocol, hop)) = self.kernel.remove(&(prefix, metric)) {
                    self.table.withdraw(route(prefix, metric, protocol, &hop));
                }
            }
            Step::Map {
                interface,
                sw_if_index,
            } => {
                match sw_if_index {
                    Some(index) => self
                        .interfaces
                        .map
                        .insert(name(interface.into()), index.into()),
                    None => self.interfaces.map.remove(&name(interface.into())),
                };
                self.table.set_interfaces(self.interfaces.clone());
            }
            Step::Take { limit } => self.taken.extend(self.table.take_dirty(limit).handles),
            Step::Begin { count } => self.begin(count),
            Step::Answer { count, refuse } => self.answer(count, refuse),
            Step::PutBack => self.table.put_back(self.taken.drain(..)),
            Step::LoseSession => self.lose_session(),
            Step::Adopt => self.adopt(),
            Step::Retry => {
                self.table.retry_refused(|_| true);
            }
            Step::ResyncWithout { prefix } => self.resync_without(prefix),
        }
    }

    fn begin(&mut self, count: usize) {
        let count = count.min(self.taken.len());
        for handle in self.taken.drain(..count) {
            self.in_flight.extend(self.table.begin_request(handle));
        }
    }

    fn answer(&mut self, count: usize, refuse: bool) {
        let count = count.min(self.in_flight.len());
        for request in self.in_flight.drain(..count) {
            if !refuse {
                match self.table.paths(request.paths) {
                    Some(paths) => self.vpp.insert(request.prefix, paths.clone()),
                    None => self.vpp.remove(&request.prefix),
                };
            }
            self.table
                .acknowledge(&request, if refuse { Err(-5) } else { Ok(()) });
        }
    }

    /// VPP restarts empty.
    fn lose_session(&mut self) {
        self.vpp.clear();
        self.table.forget_installed();
        for request in self.in_flight.drain(..) {
            self.table.abandon(&request);
        }
    }

    /// The session ends, and what VPP has is read.
    fn adopt(&mut self) {
        self.table.forget_installed();
        for request in self.in_flight.drain(..) {
            self.table.abandon(&request);
        }
        for (prefix, paths) in &self.vpp {
            let as_wanted = |wanted: &PathSet| wanted == paths;
            assert!(self.table.adopt(0, prefix, paths, as_wanted));
        }
    }

    /// The kernel loses a prefix in silence; a resync finds out.
    fn resync_without(&mut self, number: u8) {
        self.kernel.retain(|(prefix, _), _| *prefix != number);
        self.table.begin_resync(Extent::Everything);
        for ((prefix, metric), (protocol, hop)) in &self.kernel {
            self.table
                .announce(route(*prefix, *metric, *protocol, hop), Placement::Dump);
        }
        assert_eq!(self.table.end_resync(&Family::ALL).uncertain, 0);
        self.table.confirm(&Family::ALL);
    }

    /// Lets everything that waits go through.
    fn settle(&mut self) {
        self.begin(usize::MAX);
        self.answer(usize::MAX, false);
        self.table.retry_refused(|_| true);
        loop {
            self.taken = self.table.take_dirty(3).handles;
            if self.taken.is_empty() {
                break;
            }
            self.begin(usize::MAX);
            self.answer(usize::MAX, false);
        }
        assert_eq!(self.table.dirty(), 0);
    }

    /// The prefixes that VPP shall have, with gateway and interface.
    fn expected(&self) -> BTreeMap<Prefix, (Option<IpAddr>, u32)> {
        let mut best: BTreeMap<u8, &(u8, NextHop)> = BTreeMap::new();
        for ((prefix, _), value) in &self.kernel {
            best.entry(*prefix).or_insert(value);
        }
        let mirrored = best
            .into_iter()
            .filter(|(_, (protocol, _))| *protocol == MIRRORED);
        mirrored
            .filter_map(|(number, (_, hop))| {
                let sw_if_index = self.interfaces.map.get(&name(hop.interface))?;
                Some((prefix(number), (hop.gateway, *sw_if_index)))
            })
            .collect()
    }

    fn in_vpp(&self) -> BTreeMap<Prefix, (Option<IpAddr>, u32)> {
        let first = |(prefix, paths): (&Prefix, &PathSet)| {
            let path = &paths.paths()[0];
            (*prefix, (path.next_hop, path.sw_if_index))
        };
        self.vpp.iter().map(first).collect()
    }

    fn check(&self) {
        let expected = self.expected();
        assert_eq!(self.in_vpp(), expected);
        let counts = self.table.counts(Family::V4);
        assert_eq!(counts.kernel, self.kernel.len());
        assert_eq!(counts.desired, expected.len());
        assert_eq!(counts.installed, expected.len());
        assert_eq!(counts.failed, 0);
        assert_eq!(counts.unconfirmed, 0);
        let (views, rest) = self.table.routes(Cursor::default(), usize::MAX);
        assert_eq!(rest, None);
        assert_eq!(views.len(), self.kernel.len());
        let installed = views
            .iter()
            .filter(|v| v.state == RouteState::Installed)
            .count();
        assert_eq!(installed, expected.len());
        let held = views
            .iter()
            .filter(|v| matches!(v.state, RouteState::Held(_)))
            .count();
        assert_eq!(counts.held, held);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn vpp_ends_with_what_the_kernel_forwards_by(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.apply(step);
        }
        world.table.confirm(&Family::ALL);
        world.settle();
        world.check();

        for number in 0..6 {
            world.resync_without(number);
        }
        world.settle();
        world.check();
        assert_eq!(world.table.sets(), (0, 0), "every set must be given back");
    }
}

fn hop(gateway: &str, interface: u32) -> NextHop {
    NextHop::new(gateway.parse().ok(), interface)
}

#[test]
fn a_prefix_that_flaps_while_vpp_is_busy_costs_one_request_or_none() {
    let mut world = World::new();
    for metric in 0..100_u8 {
        let hop = hop(&format!("192.0.2.{metric}"), 1);
        world
            .table
            .announce(route(1, 0, MIRRORED, &hop), Placement::Replace);
    }
    assert_eq!(world.table.dirty(), 1);
    world.taken = world.table.take_dirty(10).handles;
    world.begin(10);
    assert_eq!(world.in_flight.len(), 1);
    world.answer(10, false);

    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::Replace,
    );
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.99", 1)),
        Placement::Replace,
    );
    assert!(world.table.take_dirty(10).handles.is_empty());
}

#[test]
fn a_change_under_way_is_followed_by_what_came_after_it() {
    let mut world = World::new();
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::Replace,
    );
    world.taken = world.table.take_dirty(10).handles;
    world.begin(10);
    world
        .table
        .withdraw(route(1, 0, MIRRORED, &hop("192.0.2.1", 1)));
    assert_eq!(
        world.table.dirty(),
        0,
        "nothing is sent beside a request under way"
    );
    world.answer(10, false);
    assert_eq!(world.vpp.len(), 1);
    world.settle();
    assert!(world.vpp.is_empty());
}

#[test]
fn another_protocol_that_replaces_a_route_leaves_no_ghost() {
    let mut world = World::new();
    world.table.announce(
        route(1, 32, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::Replace,
    );
    world.settle();
    assert_eq!(world.vpp.len(), 1);
    world.table.announce(
        route(1, 32, FOREIGN, &hop("192.0.2.2", 1)),
        Placement::Replace,
    );
    world.settle();
    assert!(world.vpp.is_empty());
}

#[test]
fn a_link_that_goes_down_takes_its_v4_routes_along_in_silence() {
    let mut world = World::new();
    let up = Link {
        name: name(1),
        up: true,
        carrier: true,
    };
    world.table.link(1, up.clone());
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::Replace,
    );
    world.settle();
    assert_eq!(
        world.table.link(
            1,
            Link {
                up: false,
                ..up.clone()
            }
        ),
        1
    );
    world.settle();
    assert!(world.vpp.is_empty());
    world.table.link(1, up);
    world.settle();
    assert!(
        world.vpp.is_empty(),
        "the kernel does not bring them back by itself"
    );
}

#[test]
fn a_dump_that_is_older_than_a_notification_does_not_win() {
    let mut world = World::new();
    let old = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(old.clone(), Placement::Replace);
    world.table.begin_resync(Extent::Everything);
    world.table.withdraw(old.clone());
    world.table.announce(old, Placement::Dump);
    let swept = world.table.end_resync(&[Family::V4]);
    assert_eq!((swept.removed, swept.uncertain), (0, 0));
    world.settle();
    assert!(world.vpp.is_empty());
}

#[test]
fn a_dump_that_contradicts_a_notification_is_uncertain() {
    let mut world = World::new();
    world.table.begin_resync(Extent::Everything);
    world
        .table
        .withdraw(route(1, 0, MIRRORED, &hop("192.0.2.1", 1)));
    world
        .table
        .announce(route(1, 0, MIRRORED, &hop("192.0.2.2", 1)), Placement::Dump);
    assert_eq!(world.table.end_resync(&[Family::V4]).uncertain, 1);
}

#[test]
fn a_family_that_is_not_named_is_not_swept() {
    let mut world = World::new();
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::Replace,
    );
    world.table.begin_resync(Extent::Everything);
    assert_eq!(world.table.end_resync(&[Family::V6]).removed, 0);
    world.table.begin_resync(Extent::Everything);
    assert_eq!(world.table.end_resync(&[Family::V4]).removed, 1);
}

#[test]
fn what_vpp_has_already_is_adopted_and_only_the_difference_sent() {
    let mut world = World::new();
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::Replace,
    );
    world.settle();
    let paths = world.vpp[&prefix(1)].clone();

    let mut next = World::new();
    next.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::Replace,
    );
    let equal = |wanted: &PathSet| *wanted == paths;
    assert!(next.table.adopt(0, &prefix(1), &paths, equal));
    assert!(next.table.adopt(0, &prefix(2), &paths, equal));
    assert!(
        !next.table.adopt(7, &prefix(1), &paths, equal),
        "table 7 is not ours"
    );
    assert!(
        next.table.take_dirty(10).handles.is_empty(),
        "what the kernel has not shown may yet come"
    );
    assert_eq!(next.table.counts(Family::V4).unconfirmed, 1);
    assert_eq!(next.table.confirm(&[Family::V6]), 0);
    assert_eq!(next.table.confirm(&[Family::V4]), 1);
    assert_eq!(next.table.counts(Family::V4).unconfirmed, 0);
    let taken = next.table.take_dirty(10);
    assert_eq!((taken.adds, taken.replaces, taken.deletes), (0, 0, 1));
    let request = next.table.begin_request(taken.handles[0]).unwrap();
    assert_eq!(
        (request.prefix, request.paths),
        (prefix(2), PathSetId::NONE)
    );
}

#[test]
fn a_refused_route_rests_until_it_is_retried_and_remembers_how_often() {
    let mut world = World::new();
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::Replace,
    );
    for attempts in 1..4 {
        world.taken = world.table.take_dirty(10).handles;
        world.begin(10);
        world.answer(10, true);
        assert_eq!(world.table.dirty(), 0);
        let (_, refused, refusal) = world.table.refusals(10)[0];
        assert_eq!(
            (refused, refusal.retval, refusal.attempts),
            (prefix(1), -5, attempts)
        );
        assert_eq!(world.table.counts(Family::V4).failed, 1);
        assert_eq!(
            world.table.routes_of(254, &prefix(1))[0].state,
            RouteState::Failed(-5)
        );
        assert_eq!(world.table.retry_refused(|_| false), 0);
        assert_eq!(world.table.retry_refused(|_| true), 1);
    }
    world.settle();
    assert!(world.table.refusals(10).is_empty());
}

#[test]
fn an_adopted_route_that_the_kernel_shows_late_is_never_touched() {
    let mut world = World::new();
    let route = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(route.clone(), Placement::Replace);
    world.settle();
    let paths = world.vpp[&prefix(1)].clone();

    let mut next = World::new();
    let equal = |wanted: &PathSet| *wanted == paths;
    assert!(next.table.adopt(0, &prefix(1), &paths, equal));
    next.table.begin_resync(Extent::Everything);
    next.table.end_resync(&[]);
    assert_eq!(next.table.dirty(), 0);
    next.table.announce(route, Placement::Dump);
    assert_eq!(next.table.counts(Family::V4).unconfirmed, 0);
    assert_eq!(next.table.confirm(&Family::ALL), 0);
    assert!(next.table.take_dirty(10).handles.is_empty());
}

#[test]
fn a_route_that_goes_is_deleted_though_nothing_is_confirmed_yet() {
    let mut world = World::new();
    let known = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(known.clone(), Placement::Replace);
    world.settle();
    let paths = world.vpp[&prefix(1)].clone();
    let equal = |wanted: &PathSet| *wanted == paths;
    assert!(world.table.adopt(0, &prefix(1), &paths, equal));
    assert_eq!(world.table.counts(Family::V4).unconfirmed, 0);
    world.table.withdraw(known);
    assert_eq!(world.table.take_dirty(10).deletes, 1);
}

#[test]
fn a_resync_of_one_interface_leaves_the_others_alone() {
    let mut world = World::new();
    for (number, interface) in [(1, 1), (2, 1), (3, 2)] {
        let hop = hop("192.0.2.1", interface);
        world
            .table
            .announce(route(number, 0, MIRRORED, &hop), Placement::Replace);
    }
    world.table.begin_resync(Extent::Interface(1));
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        Placement::PartialDump,
    );
    let swept = world.table.end_resync(&Family::ALL);
    assert_eq!((swept.removed, swept.uncertain), (1, 0));
    let drift = world.table.take_drift(10);
    assert_eq!(drift.examples, [(254, prefix(2), Drift::Stale)]);
    assert_eq!(world.table.take_drift(10).total(), 0, "told once");
    assert_eq!(world.table.counts(Family::V4).kernel, 2);
}

#[test]
fn what_a_notification_explains_is_no_drift() {
    let mut world = World::new();
    let known = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    let other = route(1, 0, MIRRORED, &hop("192.0.2.2", 1));
    let new = route(2, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(known, Placement::Replace);
    world.table.begin_resync(Extent::Everything);
    world.table.announce(other.clone(), Placement::Dump);
    world.table.announce(new.clone(), Placement::Dump);
    world.table.announce(new, Placement::Replace);
    world.table.end_resync(&Family::ALL);
    let drift = world.table.take_drift(10);
    assert_eq!(drift.examples, [(254, prefix(1), Drift::Different)]);
    assert_eq!(drift.counts, [0, 1, 0]);
}

#[test]
fn an_order_that_only_a_dump_tells_reaches_vpp() {
    let mut world = World::new();
    let first = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    let second = route(1, 0, MIRRORED, &hop("192.0.2.2", 1));
    world.table.announce(first.clone(), Placement::Append);
    world.table.announce(second.clone(), Placement::Append);
    world.settle();
    world.table.begin_resync(Extent::Everything);
    world.table.announce(second, Placement::Dump);
    world.table.announce(first, Placement::Dump);
    world.table.end_resync(&Family::ALL);
    world.settle();
    let gateway = world.in_vpp()[&prefix(1)].0;
    assert_eq!(gateway, "192.0.2.2".parse().ok());
}
