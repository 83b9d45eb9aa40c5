//! A resync of everything that the scope mirrors.

use std::time::{Duration, Instant};

use ahash::AHashSet;
use bgpreflector_core::netlink::{Body, Message, RouteDump, link_dump, next_hop_dump};
use bgpreflector_core::route::Family;
use bgpreflector_core::table::{Placement, Table};

use crate::error::KernelError;
use crate::shared::KernelCounters;

use super::dump::{Dumper, Ended};
use super::follow;
use super::reader::{Follower, ResyncReport};
use super::socket::in_namespace;

/// Dumps of one resync at most: a kernel that keeps changing is asked again later.
const DUMPS: usize = 3;
const LATER: Duration = Duration::from_secs(1);

/// What one round of dumps found.
#[derive(Default)]
struct Round {
    dumped: usize,
    /// IPv6 changed while it was dumped: such dumps lose routes that did not change.
    v6_shaken: bool,
    /// A family's dump was not consistent.
    interrupted: bool,
    /// Notifications were lost while the round ran.
    overrun: bool,
}

impl Follower {
    /// Dumps links, next-hop objects and routes, in this order, and removes what is gone.
    pub(super) fn resync(&mut self) -> Result<ResyncReport, KernelError> {
        let began = Instant::now();
        let mut dumper = match self.dumper.take() {
            Some(dumper) => dumper,
            None => in_namespace(self.settings.namespace.as_deref(), Dumper::open)?,
        };
        let result = self.rounds(&mut dumper);
        // A dumper whose dump broke off may still have replies under way and is not used again.
        match result {
            Ok(_) => self.dumper = Some(dumper),
            Err(_) => drop(self.shared.change(|table| table.end_resync(&[]))),
        }
        let report = ResyncReport {
            duration: began.elapsed(),
            ..result?
        };
        KernelCounters::count(&self.shared.kernel.resyncs);
        self.shared.synchronised();
        if report.complete {
            self.calm();
        } else {
            self.verify_after(LATER);
        }
        Ok(report)
    }

    fn rounds(&mut self, dumper: &mut Dumper) -> Result<ResyncReport, KernelError> {
        let mut report = ResyncReport::default();
        let mut v6_certified = false;
        self.shared.change(Table::begin_resync);
        loop {
            let round = self.round(dumper)?;
            report.dumped += round.dumped;
            report.dumps += 1;
            let uncertain = self.shared.table().uncertain_dump_routes() > 0;
            let broken = uncertain || round.interrupted || round.overrun;
            v6_certified |= !round.v6_shaken && !broken;
            report.complete = v6_certified && !broken;
            if report.complete || report.dumps >= DUMPS {
                let families: &[Family] = match (broken, v6_certified) {
                    (true, _) => &[],
                    (false, false) => &[Family::V4],
                    (false, true) => &Family::ALL,
                };
                let swept = self.shared.change(|table| table.end_resync(families));
                report.removed = swept.removed;
                return Ok(report);
            }
            self.shared.change(Table::repeat_dump);
        }
    }

    fn round(&mut self, dumper: &mut Dumper) -> Result<Round, KernelError> {
        let mut round = Round::default();
        self.dump_links(dumper, &mut round)?;
        self.dump_next_hops(dumper, &mut round)?;
        let (families, tables, protocol) = {
            let table = self.shared.table();
            let scope = table.scope();
            let tables: Vec<u32> = scope.tables.keys().copied().collect();
            (scope.families.clone(), tables, scope.dump_protocol())
        };
        for family in families {
            for table in &tables {
                let request = RouteDump {
                    family,
                    table: Some(*table),
                    protocol,
                    interface: None,
                };
                self.dump_routes(dumper, request, &mut round)?;
            }
        }
        Ok(round)
    }

    fn dump_links(&mut self, dumper: &mut Dumper, round: &mut Round) -> Result<(), KernelError> {
        let mut seen = AHashSet::new();
        let shared = std::sync::Arc::clone(&self.shared);
        let take = |table: &mut _, message: Message, _: &mut Round| {
            if let Body::Link(link) = message.body {
                seen.insert(link.index);
                follow::link_message(&shared, table, link);
            }
        };
        self.dump(dumper, "links", link_dump, take, round)?;
        self.shared.change(|table| {
            let known: Vec<u32> = table.links().map(|(index, _)| index).collect();
            for index in known.into_iter().filter(|index| !seen.contains(index)) {
                table.remove_link(index);
            }
        });
        Ok(())
    }

    fn dump_next_hops(
        &mut self,
        dumper: &mut Dumper,
        round: &mut Round,
    ) -> Result<(), KernelError> {
        self.shared.change(Table::begin_next_hop_dump);
        let shared = std::sync::Arc::clone(&self.shared);
        let take = |table: &mut _, message: Message, _: &mut Round| {
            if let Body::NextHop(next_hop) = message.body {
                follow::next_hop_message(&shared, table, next_hop);
            }
        };
        self.dump(dumper, "next-hop objects", next_hop_dump, take, round)?;
        self.shared.change(Table::sweep_next_hops);
        Ok(())
    }

    fn dump_routes(
        &mut self,
        dumper: &mut Dumper,
        request: RouteDump,
        round: &mut Round,
    ) -> Result<(), KernelError> {
        let what = match request.family {
            Family::V4 => "IPv4 routes",
            Family::V6 => "IPv6 routes",
        };
        let shared = std::sync::Arc::clone(&self.shared);
        let mut other = Round::default();
        let take = |table: &mut _, message: Message, round: &mut Round| {
            if let Body::Route(route) = message.body {
                round.dumped += 1;
                follow::route_message(&shared, table, route, Placement::Dump);
            }
        };
        self.dump(
            dumper,
            what,
            |sequence| request.encode(sequence),
            take,
            &mut other,
        )?;
        round.dumped += other.dumped;
        round.overrun |= other.overrun;
        round.interrupted |= other.interrupted;
        round.v6_shaken |= other.v6_shaken && request.family == Family::V6;
        Ok(())
    }

    /// Runs one dump; the notifications that come meanwhile go into the table before each buffer
    /// of it, so that none waits behind a long dump.
    fn dump(
        &mut self,
        dumper: &mut Dumper,
        what: &'static str,
        request: impl FnOnce(u32) -> Vec<u8>,
        mut take: impl FnMut(&mut Table, Message, &mut Round),
        round: &mut Round,
    ) -> Result<(), KernelError> {
        let shared = std::sync::Arc::clone(&self.shared);
        let note = |follower: &mut Self, round: &mut Round| {
            let effects = follower.drain()?;
            round.overrun |= effects.overrun;
            round.v6_shaken |= effects.v6_changed;
            Ok(())
        };
        let ended = dumper.dump(&shared, what, request, |messages| {
            note(self, round)?;
            shared.change(|table| {
                for message in messages {
                    take(table, message, round);
                }
            });
            Ok(())
        })?;
        note(self, round)?;
        round.interrupted |= ended == Ended::Interrupted;
        Ok(())
    }
}
