//! A resync of everything that the scope mirrors.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ahash::AHashSet;
use bgpreflector_core::netlink::{Body, RouteDump, Shallow, link_dump, next_hop_dump};
use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::table::{Drift, DriftReport, Extent, Placement, Table};

use crate::error::KernelError;
use crate::shared::KernelCounters;

use super::dump::{Dumper, Ended, Replies};
use super::follow::{self, earlier};
use super::follower::{Follower, SETTLE};
use super::plan::Reason;
use super::reader::ResyncReport;
use super::socket::in_namespace;

/// Dumps of one resync at most: a kernel that keeps changing is asked again later.
const DUMPS: usize = 3;
const LATER: Duration = Duration::from_secs(1);
/// The same where a dump ends early.
const MUCH_LATER: Duration = Duration::from_secs(30);
/// Prefixes that the kernel is asked for, at most, to see whether a dump was whole.
const SAMPLE: usize = 16_384;
/// Resyncs of one interface before one of everything ([`Table::begin_resync`]).
const PARTIAL: u8 = 100;
/// Routes that the log names when the table has drifted.
const NAMED: usize = 20;

/// What one round of dumps found.
#[derive(Default)]
struct Round {
    dumped: usize,
    /// IPv6 routes were announced while they were dumped.
    v6_announced: bool,
    /// IPv6 routes may have gone while they were dumped.
    v6_withdrawn: bool,
    /// A family's dump was not consistent.
    interrupted: bool,
    /// Notifications were lost while the round ran.
    overrun: bool,
    /// What the dumps show of the shortest lifetime.
    expiry: Option<Duration>,
}

/// What the rounds of a resync came to.
struct Rounds {
    report: ResyncReport,
    /// The families of which they told what is gone.
    families: &'static [Family],
    /// Notifications that the kernel had dropped before the last.
    drops: u32,
    /// The shortest lifetime of a route that the last showed.
    expiry: Option<Duration>,
    /// What the kernel has nothing for, by kernel table, of what no dump showed.
    absent: Absent,
}

/// Prefixes by kernel table.
type Absent = AHashSet<(u32, Prefix)>;

/// Whether IPv6 routes that no dump of a resync showed are gone.
///
/// A walk of the IPv6 table starts again at its root whenever the tree changes, and skips as many
/// nodes as it had visited (`fib6_dump_table`): routes withdrawn meanwhile make it skip others
/// that did not change. A dump beside which nothing happened is certified by that; two beside
/// which routes were only announced must agree.
#[derive(Default)]
struct V6 {
    certified: bool,
    agreeing: usize,
}

impl V6 {
    fn take(&mut self, round: &Round) {
        if !round.v6_withdrawn {
            self.agreeing += 1;
            self.certified |= !round.v6_announced;
        }
    }

    fn known(&self) -> bool {
        self.certified || self.agreeing >= 2
    }
}

/// So many of the prefixes, evenly spread, the last one among them.
fn sample(prefixes: &[(u32, Prefix)], count: usize) -> Vec<(u32, Prefix)> {
    let step = prefixes.len().div_ceil(count).max(1);
    prefixes.iter().rev().step_by(step).copied().collect()
}

impl Follower {
    /// Dumps links, next-hop objects and routes, in this order, and removes what is gone. For one
    /// interface only routes are dumped: its own state is known from notifications.
    pub(super) fn resync(
        &mut self,
        reason: Reason,
        extent: Extent,
    ) -> Result<ResyncReport, KernelError> {
        let began = Instant::now();
        let extent = self.extent(extent);
        let mut dumper = match self.dumper.take() {
            Some(dumper) => dumper,
            None => in_namespace(self.settings.namespace.as_deref(), Dumper::open)?,
        };
        let result = self.rounds(&mut dumper, extent);
        // A dumper whose dump broke off may still have replies under way and is not used again.
        match result {
            Ok(_) => self.dumper = Some(dumper),
            Err(_) => drop(self.shared.change(|table| table.end_resync(&[]))),
        }
        let mut rounds = result?;
        rounds.report.duration = began.elapsed();
        if let Some(counter) = self.shared.kernel.resyncs.get(reason.index()) {
            KernelCounters::count(counter);
        }
        if let Some(taken) = self.shared.kernel.resync_micros.get(reason.index()) {
            let micros = u64::try_from(rounds.report.duration.as_micros()).unwrap_or(u64::MAX);
            taken.fetch_add(micros, Ordering::Relaxed);
        }
        if extent == Extent::Everything {
            self.whole(reason, &mut rounds)?;
        } else {
            self.expiry.after(rounds.expiry);
        }
        if !rounds.report.complete {
            if extent != Extent::Everything {
                // Where a route stands among others of its key only a dump of all tells.
                return self.resync(reason, Extent::Everything);
            }
            // Another dump will end at the same route.
            let ended_early = self.shared.kernel.ended_early.load(Ordering::Relaxed) > 0;
            let pause = if ended_early { MUCH_LATER } else { LATER };
            self.plan
                .after(pause, Reason::Incomplete, Extent::Everything);
        }
        Ok(rounds.report)
    }

    fn extent(&mut self, extent: Extent) -> Extent {
        let whole = extent == Extent::Everything || self.partial_resyncs >= PARTIAL;
        self.partial_resyncs = if whole { 0 } else { self.partial_resyncs + 1 };
        if whole { Extent::Everything } else { extent }
    }

    /// What follows from a resync of everything.
    fn whole(&mut self, reason: Reason, rounds: &mut Rounds) -> Result<(), KernelError> {
        self.expiry.dumped(rounds.expiry, rounds.report.duration);
        self.confirm(rounds.families, &rounds.absent);
        self.shared.synchronised();
        self.audit_at = self
            .settings
            .audit_interval
            .map(|after| Instant::now() + after);
        self.drain()?;
        if reason == Reason::Audit {
            self.await_explanations()?;
        }
        let lost = self.has_lost_notifications();
        if rounds.report.complete {
            self.calm(rounds.drops);
        }
        let drift = self.shared.change(|table| table.take_drift(NAMED));
        // Notifications that the kernel has dropped would explain what differs, and so would an
        // event beside the audit, for which another resync is planned.
        if reason == Reason::Audit && !lost && self.plan.at().is_none() {
            self.report_drift(&drift);
            rounds.report.drift = drift;
        }
        Ok(())
    }

    /// Reads on while something differs that a notification may yet explain: the kernel changes a
    /// route first and tells of it then, and whoever changes it may have to wait in between.
    fn await_explanations(&mut self) -> Result<(), KernelError> {
        let deadline = Instant::now() + SETTLE;
        while self.shared.table().has_suspects() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.await_notifications(left)?;
            self.drain()?;
        }
        Ok(())
    }

    /// What VPP had before us and the kernel lacks is stale, unless it still has time to appear.
    fn confirm(&mut self, families: &[Family], absent: &Absent) {
        let grace = self.grace_until.saturating_duration_since(Instant::now());
        if grace.is_zero() {
            let stale = self
                .shared
                .change(|table| table.confirm(families) + table.confirm_absent(absent));
            if stale > 0 {
                log::info!("VPP has {stale} routes of ours that the kernel lacks: they go");
            }
        } else if self.shared.table().awaits_confirmation() {
            self.plan.after(grace, Reason::Grace, Extent::Everything);
        }
    }

    fn report_drift(&self, drift: &DriftReport) {
        if drift.total() == 0 {
            log::debug!("an audit found the table as the kernel has it");
            return;
        }
        self.shared.drifted(drift);
        let named = |(table, prefix, drift): &(u32, Prefix, Drift)| {
            format!("{} {prefix} (table {table})", drift.name())
        };
        let named: Vec<String> = drift.examples.iter().map(named).collect();
        let more = drift.total().saturating_sub(named.len());
        log::warn!(
            "an audit found {} routes that differed from the kernel without a notification; they \
             are repaired: {}{}",
            drift.total(),
            named.join(", "),
            if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            },
        );
    }

    /// Dumps until the dumps tell what is gone, [`DUMPS`] times at most.
    fn rounds(&mut self, dumper: &mut Dumper, extent: Extent) -> Result<Rounds, KernelError> {
        let mut report = ResyncReport::default();
        let mut v6 = V6::default();
        let mut before = None;
        loop {
            let drops = self.drops();
            // A notification that was queued before others were dropped is older than the dump, and
            // must not count as newer.
            self.drain()?;
            if before == Some(drops) {
                self.shared.change(Table::repeat_dump);
            } else {
                // What the last round saw may have been replaced since by what was dropped: if it
                // counted, the old route would stay beside the new one.
                v6 = V6::default();
                self.shared.change(|table| table.begin_resync(extent));
            }
            let round = self.round(dumper, extent, drops)?;
            before = (!round.overrun).then_some(drops);
            report.dumped += round.dumped;
            report.dumps += 1;
            let uncertain = self.shared.table().uncertain_dump_routes() > 0;
            let broken = uncertain || round.interrupted || round.overrun;
            if !broken {
                v6.take(&round);
            }
            report.complete = v6.known() && !broken;
            let pointless = uncertain && extent != Extent::Everything;
            if report.complete || pointless || report.dumps >= DUMPS {
                let told: &'static [Family] = match (broken, v6.known()) {
                    (true, _) => &[],
                    (false, false) => &[Family::V4],
                    (false, true) => &Family::ALL,
                };
                let (families, absent) = self.ask_for_unseen(dumper, extent, told, &mut report)?;
                let swept = self
                    .shared
                    .change(|table| table.end_resync_knowing(families, &absent));
                report.removed = swept.removed;
                return Ok(Rounds {
                    report,
                    families,
                    drops,
                    expiry: round.expiry,
                    absent,
                });
            }
        }
    }

    /// Asks the kernel singly for prefixes that the dumps did not show: for all of the families of
    /// which they do not tell what is gone, and for some of those that they seem to tell of, since a
    /// dump ends before a route that is too large for it and says nothing (`inet_dump_fib`,
    /// `fib6_dump_table`). Returns the families of which the dumps tell, and what is absent.
    fn ask_for_unseen(
        &mut self,
        dumper: &mut Dumper,
        extent: Extent,
        told: &'static [Family],
        report: &mut ResyncReport,
    ) -> Result<(&'static [Family], Absent), KernelError> {
        let mut unseen = self.shared.change(|table| table.unseen_prefixes(told));
        unseen.prefixes = sample(&unseen.prefixes, SAMPLE);
        let present = dumper.ask(&self.shared, &unseen)?.present;
        let ended_early = |family: &Family| present.iter().any(|(_, p)| p.family() == *family);
        let families = match Family::ALL.map(|f| told.contains(&f) && !ended_early(&f)) {
            [true, true] => &Family::ALL[..],
            [true, false] => &[Family::V4],
            [false, true] => &[Family::V6],
            [false, false] => &[],
        };
        if extent == Extent::Everything {
            // Otherwise the kernel may have another route for the prefix, through another interface:
            // an incomplete resync is followed by one of everything.
            self.report_ended_early(&present);
        }
        report.complete &= present.is_empty();
        let others: Vec<Family> = Family::ALL
            .into_iter()
            .filter(|family| !families.contains(family))
            .collect();
        let unseen = self.shared.change(|table| table.unseen_prefixes(&others));
        let absent = if unseen.prefixes.is_empty() {
            Absent::new()
        } else {
            dumper.ask(&self.shared, &unseen)?.absent
        };
        // What has come meanwhile is newer than the answers.
        self.drain()?;
        Ok((families, absent))
    }

    /// Takes note of prefixes that the kernel has though its dump, which it said was whole, did not
    /// show them.
    fn report_ended_early(&mut self, present: &[(u32, Prefix)]) {
        let ended_early = &self.shared.kernel.ended_early;
        let count = present.len() as u64;
        let before = ended_early.swap(count, Ordering::Relaxed);
        if let (Some((table, prefix)), 0) = (present.first(), before) {
            log::warn!(
                "the kernel's dump ends early: it does not show {prefix} (table {table}), which the \
                 kernel has. A route with more next hops than fit in a netlink message ends a dump \
                 (about 1,500): what is behind it stays as it is, and is not compared until that \
                 route has fewer"
            );
        } else if count == 0 && before > 0 {
            log::info!("the kernel's dumps show all routes again");
        }
    }

    fn round(
        &mut self,
        dumper: &mut Dumper,
        extent: Extent,
        drops: u32,
    ) -> Result<Round, KernelError> {
        let mut round = Round::default();
        let interface = match extent {
            Extent::Everything => {
                self.dump_links(dumper, &mut round)?;
                self.dump_next_hops(dumper, &mut round)?;
                // What came before the routes are dumped does not disturb their dump.
                (round.v6_announced, round.v6_withdrawn) = (false, false);
                None
            }
            Extent::Interface(index) => Some(index),
        };
        let (families, tables) = {
            let table = self.shared.table();
            let scope = table.scope();
            let tables: Vec<Option<u32>> = if scope.discovery.is_on() {
                vec![None]
            } else {
                scope.tables.keys().copied().map(Some).collect()
            };
            (scope.families.clone(), tables)
        };
        for family in families {
            for table in &tables {
                let request = RouteDump {
                    family,
                    table: *table,
                    // Of every protocol, as the notifications are: what a foreign route replaces, or
                    // is replaced by, may be ours.
                    protocol: None,
                    interface,
                };
                self.dump_routes(dumper, request, &mut round)?;
            }
        }
        round.overrun |= self.drops() != drops;
        Ok(round)
    }

    fn dump_links(&mut self, dumper: &mut Dumper, round: &mut Round) -> Result<(), KernelError> {
        self.shared.change(Table::begin_link_dump);
        let shared = std::sync::Arc::clone(&self.shared);
        let take = |table: &mut _, replies: &mut Replies<'_>, _: &mut Round| {
            for (_, message) in replies {
                let Shallow::Other(body) = message else {
                    continue;
                };
                if let Body::Link(link) = *body {
                    follow::dumped_link(&shared, table, &link);
                }
            }
        };
        if self.dump(dumper, "links", link_dump, take, round)? {
            self.shared.change(Table::sweep_links);
        }
        Ok(())
    }

    fn dump_next_hops(
        &mut self,
        dumper: &mut Dumper,
        round: &mut Round,
    ) -> Result<(), KernelError> {
        self.shared.change(Table::begin_next_hop_dump);
        let shared = std::sync::Arc::clone(&self.shared);
        let take = |table: &mut _, replies: &mut Replies<'_>, _: &mut Round| {
            for (_, message) in replies {
                let Shallow::Other(body) = message else {
                    continue;
                };
                if let Body::NextHop(next_hop) = *body {
                    follow::dumped_next_hop(&shared, table, &next_hop);
                }
            }
        };
        if self.dump(dumper, "next-hop objects", next_hop_dump, take, round)? {
            self.shared.change(Table::sweep_next_hops);
        }
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
        let placement = match request.interface {
            None => Placement::Dump,
            Some(_) => Placement::PartialDump,
        };
        let take = |table: &mut _, replies: &mut Replies<'_>, round: &mut Round| {
            while let Some((raw, message)) = replies.next() {
                if let Shallow::Announced(route) = message {
                    round.dumped += 1;
                    round.expiry = earlier(round.expiry, follow::expiry(&route));
                    let taken = follow::announcement(&shared, table, &route, placement);
                    if let Err(problem) = taken {
                        replies.malformed(&raw.error(problem));
                    }
                }
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
        round.expiry = earlier(round.expiry, other.expiry);
        round.overrun |= other.overrun;
        round.interrupted |= other.interrupted;
        if request.family == Family::V6 {
            round.v6_announced |= other.v6_announced;
            round.v6_withdrawn |= other.v6_withdrawn;
        }
        Ok(())
    }

    /// Runs one dump; the notifications that come meanwhile go into the table before each buffer
    /// of it, so that none waits behind a long dump. Returns whether it showed everything: what it
    /// did not show is gone.
    fn dump(
        &mut self,
        dumper: &mut Dumper,
        what: &'static str,
        request: impl FnOnce(u32) -> Vec<u8>,
        mut take: impl FnMut(&mut Table, &mut Replies<'_>, &mut Round),
        round: &mut Round,
    ) -> Result<bool, KernelError> {
        let shared = std::sync::Arc::clone(&self.shared);
        let overrun_before = std::mem::take(&mut round.overrun);
        let note = |follower: &mut Self, round: &mut Round| {
            let effects = follower.drain()?;
            round.overrun |= effects.overrun;
            round.v6_announced |= effects.v6_announced;
            round.v6_withdrawn |= effects.v6_withdrawn || effects.silent.is_some();
            Ok(())
        };
        let ended = dumper.dump(&shared, what, request, |replies| {
            note(self, round)?;
            shared.change(|table| {
                // Of links and next-hop objects: their routes are looked for once a buffer.
                table.defer();
                take(table, replies, round);
                table.settle();
            });
            Ok(())
        })?;
        note(self, round)?;
        let whole = ended == Ended::Whole && !round.overrun;
        round.interrupted |= ended == Ended::Interrupted;
        round.overrun |= overrun_before;
        Ok(whole)
    }
}
