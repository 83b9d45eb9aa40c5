use super::*;
use crate::route::{NextHop, NextHopSource, RouteType};
use crate::table::kernel::ecmp::same_forwarding;
use crate::table::kernel::kernel_removal::{Withdrawn, withdraw};
use std::net::IpAddr;

struct List {
    family: Family,
    routes: Routes,
    sets: Interner<NextHopSet>,
}

impl List {
    fn new(family: Family) -> Self {
        Self {
            family,
            routes: Routes::new(),
            sets: Interner::new(),
        }
    }

    fn set(&self, hops: &[&str]) -> NextHopSet {
        let hop = |text: &&str| NextHop::new(text.parse::<IpAddr>().ok(), 2);
        NextHopSet::new(
            self.family,
            RouteType::Unicast,
            NextHopSource::Inline(hops.iter().map(hop).collect()),
        )
    }

    fn add(&mut self, metric: u32, hops: &[&str], insert_mode: InsertMode) -> Announced {
        let set = SetId(self.sets.acquire(self.set(hops)));
        let new = KernelRoute {
            metric,
            set,
            tos: 0,
            protocol: 12,
            generation: 0,
            expired: false,
        };
        announce(&mut self.routes, new, insert_mode, self.family, &self.sets)
    }

    fn remove(&self, metric: u32, hops: &[&str]) -> Withdrawn {
        withdraw(&self.routes, (0, metric, 12), &self.set(hops), &self.sets)
    }

    fn text(&self) -> Vec<String> {
        let gateways = |set: &NextHopSet| match &set.next_hops {
            NextHopSource::Inline(hops) => hops
                .iter()
                .map(|h| h.gateway.map_or("device".to_owned(), |g| g.to_string()))
                .collect::<Vec<_>>()
                .join("+"),
            NextHopSource::Object(id) => id.to_string(),
        };
        let line =
            |r: &KernelRoute| format!("{} {}", r.metric, gateways(self.sets.get(r.set.0).unwrap()));
        self.routes.iter().map(line).collect()
    }
}

#[test]
fn v4_orders_by_metric_then_by_insert_mode() {
    let mut list = List::new(Family::V4);
    list.add(20, &["10.0.0.1"], InsertMode::Prepend);
    list.add(10, &["10.0.0.2"], InsertMode::Prepend);
    list.add(10, &["10.0.0.3"], InsertMode::Append);
    list.add(10, &["10.0.0.4"], InsertMode::Prepend);
    assert_eq!(
        list.text(),
        ["10 10.0.0.4", "10 10.0.0.2", "10 10.0.0.3", "20 10.0.0.1"]
    );
}

#[test]
fn v4_replace_takes_the_first_of_its_key_only() {
    let mut list = List::new(Family::V4);
    list.add(10, &["10.0.0.1"], InsertMode::Prepend);
    list.add(10, &["10.0.0.2"], InsertMode::Append);
    list.add(10, &["10.0.0.3"], InsertMode::Replace);
    assert_eq!(list.text(), ["10 10.0.0.3", "10 10.0.0.2"]);
    assert!(matches!(
        list.add(10, &["10.0.0.3"], InsertMode::Replace),
        Announced::Known
    ));
}

#[test]
fn v6_gateways_merge_and_devices_do_not() {
    let mut list = List::new(Family::V6);
    list.add(1024, &["fe80::1"], InsertMode::Prepend);
    list.add(1024, &["fe80::1", "fe80::2"], InsertMode::Append);
    list.add(1024, &[""], InsertMode::Append);
    assert_eq!(list.text(), ["1024 fe80::1+fe80::2", "1024 device"]);
    list.add(1024, &["fe80::3"], InsertMode::Replace);
    assert_eq!(list.text(), ["1024 fe80::3", "1024 device"]);
}

#[test]
fn v6_withdrawal_of_a_next_hop_leaves_the_others() {
    let mut list = List::new(Family::V6);
    list.add(1024, &["fe80::1", "fe80::2"], InsertMode::Replace);
    let rest = list.set(&["fe80::2"]);
    assert_eq!(
        list.remove(1024, &["fe80::1"]),
        Withdrawn::NextHops(0, rest)
    );
    assert_eq!(
        list.remove(1024, &["fe80::1", "fe80::2"]),
        Withdrawn::Whole(0)
    );
    assert_eq!(list.remove(1, &["fe80::1"]), Withdrawn::Nothing);
}

#[test]
fn a_withdrawal_prefers_the_exact_route() {
    let mut list = List::new(Family::V4);
    list.add(10, &["10.0.0.1"], InsertMode::Prepend);
    list.add(10, &["10.0.0.2"], InsertMode::Append);
    assert_eq!(list.remove(10, &["10.0.0.2"]), Withdrawn::Whole(1));
    assert_eq!(list.remove(10, &["10.0.0.9"]), Withdrawn::Nothing);
    assert_eq!(list.remove(10, &[]), Withdrawn::Whole(0));
}

#[test]
fn a_next_hop_that_died_without_a_message_is_still_the_same_next_hop() {
    let list = List::new(Family::V4);
    let alive = list.set(&["10.0.0.1", "10.0.0.2"]);
    let mut dead = alive.clone();
    if let NextHopSource::Inline(hops) = &mut dead.next_hops {
        hops[0].dead = true;
    }
    assert!(same_forwarding(&alive, &dead));
}
