//! A model of the kernel and of a VPP around a table, for the tests of the table.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Path, PathSet, PathType, Prefix, Route, RouteKey,
    RouteType,
};
use bgpreflector_core::table::{
    Cursor, DumpScope, Fallback, Handle, InsertMode, Interfaces, Link, Request, RouteFilter,
    RouteState, Scope, Table, Unmapped,
};

pub const MIRRORED: u8 = 12;
pub const FOREIGN: u8 = 4;

pub struct World {
    pub table: Table,
    /// What the kernel has: by prefix and metric, the protocol and next hop.
    pub kernel: BTreeMap<(u8, u8), (u8, NextHop)>,
    pub interfaces: Interfaces,
    pub vpp: HashMap<Prefix, PathSet>,
    pub taken: Vec<Handle>,
    pub in_flight: Vec<Request>,
}

pub fn name(index: u32) -> String {
    format!("eth{index}")
}

pub fn link(name: impl Into<String>, up: bool) -> Link {
    Link {
        name: name.into(),
        up,
        carrier: up,
        address: None,
        vrf_table: None,
    }
}

/// VPP's path by the gateway `10.0.0.HOST`.
pub fn path(host: u8, sw_if_index: u32) -> Path {
    Path {
        next_hop: Some(IpAddr::from([10, 0, 0, host])),
        sw_if_index,
        ..Path::new(PathType::Normal, Family::V4)
    }
}

/// Every interface is the default one of `unmapped`, or has none.
pub fn all_unmapped(unmapped: Unmapped) -> Interfaces {
    Interfaces {
        unmapped,
        ..Interfaces::default()
    }
}

/// A route of `MIRRORED` to the prefix of this number of all /24, through the interface 2.
pub fn route_of_24(number: u32, gateway: u8) -> Route {
    let gateway = IpAddr::from([10, 0, 0, gateway]);
    route_by(
        Prefix::v4(number << 8, 24),
        [NextHop::new(Some(gateway), 2)],
    )
}

/// A route of `MIRRORED` by these next hops.
pub fn route_by(prefix: Prefix, next_hops: impl IntoIterator<Item = NextHop>) -> Route {
    Route {
        key: RouteKey::new(254, prefix),
        protocol: MIRRORED,
        set: NextHopSet::new(
            prefix.family(),
            RouteType::Unicast,
            NextHopSource::Inline(next_hops.into_iter().collect()),
        ),
    }
}

/// Sends all that is dirty, and VPP accepts it; returns what was sent.
pub fn send_all(table: &mut Table) -> Vec<Request> {
    let mut sent = Vec::new();
    for handle in table.take_dirty(usize::MAX).handles {
        if let Some(request) = table.begin_request(handle) {
            table.acknowledge(&request, Ok(()));
            sent.push(request);
        }
    }
    sent
}

/// Sends all that is dirty: how many were added or replaced, and deleted.
pub fn answer_all(table: &mut Table) -> (usize, usize) {
    let sent = send_all(table);
    let deletes = sent.iter().filter(|sent| sent.paths.is_none()).count();
    (sent.len() - deletes, deletes)
}

pub fn prefix(number: u8) -> Prefix {
    Prefix::v4(0x0a00_0000 | u32::from(number) << 8, 24)
}

pub fn route(number: u8, metric: u8, protocol: u8, hop: &NextHop) -> Route {
    let mut route = route_by(prefix(number), [hop.clone()]);
    route.key.metric = metric.into();
    route.protocol = protocol;
    route
}

/// What VPP does with a prefix: type of its path, gateway, interface.
pub type Forwarding = (PathType, Option<IpAddr>, u32);

impl World {
    pub fn new() -> Self {
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
            world.table.link(index, link(name(index), true));
        }
        world.table.set_interfaces(world.interfaces.clone());
        world
    }

    pub fn begin(&mut self, count: usize) {
        let count = count.min(self.taken.len());
        for handle in self.taken.drain(..count) {
            self.in_flight.extend(self.table.begin_request(handle));
        }
    }

    pub fn answer(&mut self, count: usize, refuse: bool) {
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
    pub fn lose_session(&mut self) {
        self.vpp.clear();
        self.table.forget_installed();
        for request in self.in_flight.drain(..) {
            self.table.abandon(&request);
        }
    }

    /// The session ends and VPP's routes are read; a bit of `hidden` for each prefix that another
    /// source has too.
    pub fn adopt(&mut self, hidden: u8) {
        self.table.forget_installed();
        for request in self.in_flight.drain(..) {
            self.table.abandon(&request);
        }
        self.read_vpp(hidden);
        for number in (0..8).filter(|number| hidden >> number & 1 == 1) {
            self.table.assume_shadowed(0, prefix(number));
        }
    }

    /// Reads VPP's routes again.
    pub fn adopt_again(&mut self, hidden: u8) {
        self.answer(usize::MAX, false);
        self.read_vpp(hidden);
    }

    fn read_vpp(&mut self, hidden: u8) {
        self.table.begin_adoption();
        let unseen: Vec<Prefix> = (0..8)
            .filter(|number| hidden >> number & 1 == 1)
            .map(prefix)
            .collect();
        for (prefix, paths) in self
            .vpp
            .iter()
            .filter(|(prefix, _)| !unseen.contains(prefix))
        {
            let as_wanted = |wanted: &PathSet| wanted == paths;
            assert!(self.table.adopt(0, prefix, paths, as_wanted));
        }
    }

    /// The kernel removes a prefix without a message; a resync detects it.
    pub fn resync_without(&mut self, number: u8) {
        self.kernel.retain(|(prefix, _), _| *prefix != number);
        self.table.begin_resync(DumpScope::Everything);
        for ((prefix, metric), (protocol, hop)) in &self.kernel {
            self.table
                .announce(route(*prefix, *metric, *protocol, hop), InsertMode::Dump);
        }
        assert_eq!(self.table.end_resync(&Family::ALL).uncertain, 0);
        self.table.confirm(&Family::ALL);
    }

    /// Executes everything that is queued.
    pub fn sync(&mut self) {
        self.begin(usize::MAX);
        self.answer(usize::MAX, false);
        self.table.retry_rejected(|_| true);
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

    /// The desired prefixes, with path type, gateway and interface.
    pub fn expected(&self) -> BTreeMap<Prefix, Forwarding> {
        let mut best: BTreeMap<u8, &(u8, NextHop)> = BTreeMap::new();
        for ((prefix, _), value) in &self.kernel {
            best.entry(*prefix).or_insert(value);
        }
        let mirrored = best
            .into_iter()
            .filter(|(_, (protocol, _))| *protocol == MIRRORED);
        mirrored
            .filter_map(|(number, (_, hop))| {
                let mapped = self.interfaces.map.get(&name(hop.interface));
                let forwarding = match (mapped, self.interfaces.fallback) {
                    (Some(sw_if_index), _) => (PathType::Normal, hop.gateway, *sw_if_index),
                    (None, Fallback::Hold) => return None,
                    (None, Fallback::Drop) => (PathType::Drop, None, Path::NO_INTERFACE),
                    (None, Fallback::Punt) => (PathType::Local, None, Path::NO_INTERFACE),
                };
                Some((prefix(number), forwarding))
            })
            .collect()
    }

    pub fn in_vpp(&self) -> BTreeMap<Prefix, Forwarding> {
        let first = |(prefix, paths): (&Prefix, &PathSet)| {
            let path = &paths.paths()[0];
            (*prefix, (path.path_type, path.next_hop, path.sw_if_index))
        };
        self.vpp.iter().map(first).collect()
    }

    pub fn check(&self) {
        let expected = self.expected();
        assert_eq!(self.in_vpp(), expected);
        let counts = self.table.counts(Family::V4);
        assert_eq!(counts.kernel, self.kernel.len());
        assert_eq!(counts.desired, expected.len());
        assert_eq!(counts.installed, expected.len());
        assert_eq!(counts.rejected, 0);
        assert_eq!(counts.unconfirmed, 0);
        let (views, rest) =
            self.table
                .routes(Cursor::default(), usize::MAX, &RouteFilter::default());
        assert_eq!(rest, None);
        assert_eq!(views.len(), self.kernel.len());
        let installed = views
            .iter()
            .filter(|v| v.state == RouteState::Installed)
            .count();
        let normal = |(path_type, _, _): &&Forwarding| *path_type == PathType::Normal;
        let forwarded = expected.values().filter(normal).count();
        assert_eq!(installed, forwarded);
        let substituted = expected.len() - forwarded;
        assert_eq!(counts.substituted, substituted);
        let counted: usize = self.table.substitutes().iter().map(|(_, n)| n).sum();
        assert_eq!(counted, substituted);
        let held = views
            .iter()
            .filter(|v| matches!(v.state, RouteState::Held(_)))
            .count();
        assert_eq!(counts.held, held);
    }
}

pub fn hop(gateway: &str, interface: u32) -> NextHop {
    NextHop::new(gateway.parse().ok(), interface)
}
