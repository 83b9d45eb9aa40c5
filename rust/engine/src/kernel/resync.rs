//! Resync of everything that the scope mirrors.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::table::{Drift, DriftReport, DumpScope, Table};

use crate::counters::KernelCounters;
use crate::error::KernelError;

use super::apply::Effects;
use super::dump::Dumper;
use super::dump_pass::DumpPass;
use super::monitor::{Monitor, SETTLE_TIME};
use super::schedule::Reason;
use super::settings::ResyncReport;
use super::socket::in_namespace;
use super::unseen::Absent;

/// Maximum number of dumps in one resync: a kernel that keeps changing is dumped again later.
const MAX_DUMPS: usize = 3;
const INCOMPLETE_PAUSE: Duration = Duration::from_secs(1);
/// The pause before the next resync if a dump ended early.
const EARLY_END_PAUSE: Duration = Duration::from_secs(30);
/// Dumps of interfaces before a complete one ([`Table::begin_resync`]).
const MAX_PARTIAL_DUMPS: usize = 100;
/// Routes named in the log when the table has drifted.
const MAX_NAMED: usize = 20;

/// The result of a resync's passes.
struct DumpPasses {
    report: ResyncReport,
    /// The families for which the dumps show what is gone.
    families: &'static [Family],
    /// The kernel's drop count before the last pass.
    drops: u32,
    /// The shortest lifetime of a route in the last pass.
    expiry: Option<Duration>,
    /// What the kernel does not have, by kernel table, among what no dump showed.
    absent: Absent,
}

/// Whether IPv6 routes that no dump of a resync showed are gone.
///
/// A walk of the IPv6 table restarts at its root when the tree changes, and skips as many nodes as
/// it had visited (`fib6_dump_table`): routes withdrawn meanwhile make it skip others that did not
/// change. A dump without concurrent changes is proof; two dumps with only concurrent announcements
/// must agree.
#[derive(Default)]
struct V6 {
    certified: bool,
    agreeing: usize,
}

impl V6 {
    fn take(&mut self, pass: &DumpPass) {
        if !pass.v6_withdrawn {
            self.agreeing += 1;
            self.certified |= !pass.v6_announced;
        }
    }

    fn known(&self) -> bool {
        self.certified || self.agreeing >= 2
    }
}

impl Monitor {
    /// Dumps links, next-hop objects and routes, in this order, and removes what is gone. For
    /// interfaces only routes are dumped: notifications report their own state.
    pub(super) fn resync(
        &mut self,
        reason: Reason,
        dump_scope: DumpScope,
    ) -> Result<ResyncReport, KernelError> {
        if self.settings.links_only {
            return self.resync_links(reason);
        }
        let began = Instant::now();
        let dump_scope = self.dump_scope(dump_scope);
        let mut dumper = self.take_dumper()?;
        let everything = dump_scope == DumpScope::Everything;
        let result = self.passes(&mut dumper, &dump_scope);
        self.partial_dumps = match &result {
            Ok(passes) if everything && passes.report.complete => 0,
            Ok(passes) => self.partial_dumps.saturating_add(passes.report.dumps),
            Err(_) => self.partial_dumps.saturating_add(MAX_DUMPS),
        };
        // A dumper whose dump failed may have replies in flight and is not reused.
        match result {
            Ok(_) => self.dumper = Some(dumper),
            Err(_) => drop(self.shared.change(|table| table.end_resync(&[]))),
        }
        self.schedule_verification();
        let mut passes = result?;
        passes.report.duration = began.elapsed();
        self.count_resync(reason, passes.report.duration);
        if everything {
            self.finish_complete(reason, &mut passes)?;
        } else {
            self.expiry.after(passes.expiry);
        }
        if !passes.report.complete {
            if !everything {
                // Only a complete dump shows a route's place among others of its key.
                return self.resync(reason, DumpScope::Everything);
            }
            // Another dump would end at the same route.
            let ended_early = self.shared.kernel.ended_early.load(Ordering::Relaxed) > 0;
            let pause = if ended_early {
                EARLY_END_PAUSE
            } else {
                INCOMPLETE_PAUSE
            };
            self.schedule
                .request(pause, Reason::Incomplete, DumpScope::Everything);
        }
        Ok(passes.report)
    }

    /// The same if only links are read.
    fn resync_links(&mut self, reason: Reason) -> Result<ResyncReport, KernelError> {
        let began = Instant::now();
        let mut dumper = self.take_dumper()?;
        let drops = self.drops();
        self.drain()?;
        let mut pass = DumpPass::default();
        self.dump_links(&mut dumper, &mut pass)?;
        self.dumper = Some(dumper);
        let complete = !pass.interrupted && !pass.overrun && self.drops() == drops;
        if complete {
            self.clear_overrun(drops);
        } else {
            self.schedule
                .request(INCOMPLETE_PAUSE, Reason::Incomplete, DumpScope::Everything);
        }
        let duration = began.elapsed();
        self.count_resync(reason, duration);
        Ok(ResyncReport {
            dumps: 1,
            complete,
            duration,
            ..ResyncReport::default()
        })
    }

    fn take_dumper(&mut self) -> Result<Dumper, KernelError> {
        match self.dumper.take() {
            Some(dumper) => Ok(dumper),
            None => in_namespace(self.namespace_path().as_deref(), Dumper::open),
        }
    }

    fn count_resync(&self, reason: Reason, duration: Duration) {
        if let Some(counter) = self.shared.kernel.resyncs.get(reason.index()) {
            KernelCounters::count(counter);
        }
        if let Some(taken) = self.shared.kernel.resync_micros.get(reason.index()) {
            let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            taken.fetch_add(micros, Ordering::Relaxed);
        }
    }

    /// Schedules what notifications during a resync leave uncertain.
    fn schedule_verification(&mut self) {
        let unverified = self.shared.change(Table::take_unverified_changes);
        let mut effects = Effects::default();
        unverified
            .into_iter()
            .for_each(|verify| effects.verify(verify));
        if let Some(dump_scope) = effects.to_verify {
            self.schedule
                .request(SETTLE_TIME, Reason::Event, dump_scope);
        }
    }

    fn dump_scope(&self, dump_scope: DumpScope) -> DumpScope {
        if self.partial_dumps >= MAX_PARTIAL_DUMPS {
            DumpScope::Everything
        } else {
            dump_scope
        }
    }

    /// Completes a resync of everything.
    fn finish_complete(
        &mut self,
        reason: Reason,
        passes: &mut DumpPasses,
    ) -> Result<(), KernelError> {
        self.expiry.dumped(passes.expiry, passes.report.duration);
        self.confirm(passes.families, &passes.absent);
        if !self.watch.is_gone() {
            self.shared.synchronised();
        }
        self.audit_at = self
            .settings
            .audit_interval
            .map(|after| Instant::now() + after);
        self.drain()?;
        if reason == Reason::Audit {
            self.await_late_notifications()?;
        }
        let lost = self.has_lost_notifications();
        if passes.report.complete {
            self.clear_overrun(passes.drops);
        }
        let (showed_unknown, drift) = self.shared.change(|table| {
            let showed_unknown = table.dump_showed_unknown(Family::V6);
            (showed_unknown, table.take_drift(MAX_NAMED))
        });
        if showed_unknown && reason != Reason::Requested {
            self.expiry.dump_showed_unknown();
        }
        // Dropped notifications would explain a difference, and so would an event during the audit,
        // for which another resync is scheduled.
        if reason == Reason::Audit && !lost && self.schedule.at().is_none() {
            self.report_drift(&drift);
            passes.report.drift = drift;
        }
        Ok(())
    }

    /// Reads on while a difference may yet be explained by a notification: the kernel changes a
    /// route before it sends the notification, and the process that makes the change can be
    /// preempted in between.
    fn await_late_notifications(&mut self) -> Result<(), KernelError> {
        let deadline = Instant::now() + SETTLE_TIME;
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

    /// Marks routes of an earlier run that the kernel does not have as stale, once the time for
    /// which they stay is over.
    fn confirm(&mut self, families: &[Family], absent: &Absent) {
        let left = self.stale_until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let stale = self
                .shared
                .change(|table| table.confirm(families) + table.confirm_absent(absent));
            if stale > 0 {
                log::info!(
                    event = "stale routes", stale, source = "kernel";
                    "deleting stale routes from VPP, which the kernel does not have: {stale}"
                );
            }
        } else if self.shared.table().awaits_confirmation() {
            self.schedule
                .request(left, Reason::StaleRoutes, DumpScope::Everything);
        }
    }

    fn report_drift(&self, drift: &DriftReport) {
        if drift.total() == 0 {
            log::debug!(event = "no drift", source = "kernel"; "the audit found no drift from the kernel");
            return;
        }
        self.shared.record_drift(drift);
        let named = |(table, prefix, drift): &(u32, Prefix, Drift)| {
            format!("{} {prefix} (table {table})", drift.name())
        };
        let named: Vec<String> = drift.examples.iter().map(named).collect();
        let (differed, more) = (drift.total(), drift.total().saturating_sub(named.len()));
        let examples = named.join(", ");
        log::warn!(
            event = "drift", source = "kernel", differed, examples:%;
            "an audit found {differed} routes that differed from the kernel without a notification; \
             they are repaired: {examples}{}",
            if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            },
        );
    }

    /// Dumps until the dumps show what is gone, at most [`MAX_DUMPS`] times.
    fn passes(
        &mut self,
        dumper: &mut Dumper,
        dump_scope: &DumpScope,
    ) -> Result<DumpPasses, KernelError> {
        let mut report = ResyncReport::default();
        let mut v6 = V6::default();
        let mut before = None;
        loop {
            let drops = self.drops();
            // Notifications queued before others were dropped are older than the dump and must not
            // count as newer.
            self.drain()?;
            if before == Some(drops) {
                self.shared.change(Table::repeat_dump);
            } else {
                // Dropped notifications may have replaced what the last pass saw: if that counted
                // as seen, the old route would stay beside the new one.
                v6 = V6::default();
                self.shared
                    .change(|table| table.begin_resync(dump_scope.clone()));
            }
            let pass = self.pass(dumper, dump_scope, drops)?;
            before = (!pass.overrun).then_some(drops);
            report.dumped += pass.dumped;
            report.dumps += 1;
            let uncertain = self.shared.change(|table| {
                table.note_unseen_next_hops();
                table.uncertain_dump_routes() > 0
            });
            let broken = uncertain || pass.interrupted || pass.overrun;
            if !broken {
                v6.take(&pass);
            }
            report.complete = v6.known() && !broken;
            let pointless = uncertain && *dump_scope != DumpScope::Everything;
            if report.complete || pointless || report.dumps >= MAX_DUMPS {
                let certain: &'static [Family] = match (broken, v6.known()) {
                    (true, _) => &[],
                    (false, false) => &[Family::V4],
                    (false, true) => &Family::ALL,
                };
                let (families, absent) =
                    self.look_up_unseen(dumper, dump_scope, certain, &mut report)?;
                let swept = self
                    .shared
                    .change(|table| table.end_resync_with_absent(families, &absent));
                report.removed = swept.removed;
                return Ok(DumpPasses {
                    report,
                    families,
                    drops,
                    expiry: pass.expiry,
                    absent,
                });
            }
        }
    }
}
