//! Lookups of prefixes that the dumps of a resync did not show.

use std::sync::atomic::Ordering;

use ahash::AHashSet;
use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::table::DumpScope;

use crate::error::KernelError;

use super::dump::Dumper;
use super::monitor::Monitor;
use super::presence::Presence;
use super::settings::ResyncReport;

/// Maximum number of lookups to check that a dump was complete.
const SAMPLE_SIZE: usize = 16_384;
/// Maximum lookups in one resync with inconclusive dumps: the remaining prefixes follow in the
/// next.
const MAX_LOOKUPS: usize = 1 << 18;
/// Lookups between two reads of notifications.
const LOOKUPS_AT_ONCE: usize = 4096;

/// Prefixes by kernel table.
pub(super) type Absent = AHashSet<(u32, Prefix)>;

/// This many of the prefixes, evenly spread, including the last.
fn sample(prefixes: &[(u32, Prefix)], count: usize) -> Vec<(u32, Prefix)> {
    let step = prefixes.len().div_ceil(count).max(1);
    prefixes.iter().rev().step_by(step).copied().collect()
}

impl Monitor {
    /// Looks up prefixes that the dumps did not show: all of the families with inconclusive dumps,
    /// and some of the others, since a dump silently ends before a route that does not fit its
    /// buffer (`inet_dump_fib`, `fib6_dump_table`). Returns the families with conclusive dumps, and
    /// what is absent.
    pub(super) fn look_up_unseen(
        &mut self,
        dumper: &mut Dumper,
        dump_scope: &DumpScope,
        certain: &'static [Family],
        report: &mut ResyncReport,
    ) -> Result<(&'static [Family], Absent), KernelError> {
        let unseen = self.shared.change(|table| table.unseen_prefixes(certain));
        let some = sample(&unseen.prefixes, SAMPLE_SIZE);
        let present = self.look_up(dumper, &some, &unseen.cached)?.present;
        let ended_early = |family: &Family| present.iter().any(|(_, p)| p.family() == *family);
        let families = match Family::ALL.map(|f| certain.contains(&f) && !ended_early(&f)) {
            [true, true] => &Family::ALL[..],
            [true, false] => &[Family::V4],
            [false, true] => &[Family::V6],
            [false, false] => &[],
        };
        if *dump_scope == DumpScope::Everything {
            // Otherwise the kernel may have another route for the prefix, through another
            // interface: a complete resync follows an incomplete one.
            self.report_ended_early(&present);
        }
        report.complete &= present.is_empty();
        let others: Vec<Family> = Family::ALL
            .into_iter()
            .filter(|family| !families.contains(family))
            .collect();
        let mut unseen = self.shared.change(|table| table.unseen_prefixes(&others));
        let left_out = self.limit_lookups(&mut unseen.prefixes);
        let Presence {
            absent, unknown, ..
        } = self.look_up(dumper, &unseen.prefixes, &unseen.cached)?;
        if *dump_scope == DumpScope::Everything {
            let unverified = &self.shared.kernel.unverified;
            unverified.store((unknown + left_out) as u64, Ordering::Relaxed);
        }
        Ok((families, absent))
    }

    /// Looks up each of the prefixes. Notifications are read between parts of the answers, and take
    /// precedence over them.
    fn look_up(
        &mut self,
        dumper: &mut Dumper,
        prefixes: &[(u32, Prefix)],
        cached: &AHashSet<(u32, Prefix)>,
    ) -> Result<Presence, KernelError> {
        let mut all = Presence::default();
        if prefixes.is_empty() {
            return Ok(all);
        }
        let consulted = dumper.consulted()?;
        for some in prefixes.chunks(LOOKUPS_AT_ONCE) {
            all.extend(dumper.look_up_prefixes(&self.shared, some, cached, &consulted)?);
            self.drain()?;
        }
        Ok(all)
    }

    /// Keeps as many prefixes as one resync looks up, different ones each time; returns how many
    /// are left out.
    fn limit_lookups(&mut self, prefixes: &mut Vec<(u32, Prefix)>) -> usize {
        let left_out = prefixes.len().saturating_sub(MAX_LOOKUPS);
        if left_out == 0 {
            self.lookup_start = 0;
            return 0;
        }
        let from = self.lookup_start % prefixes.len();
        prefixes.rotate_left(from);
        prefixes.truncate(MAX_LOOKUPS);
        self.lookup_start = from + MAX_LOOKUPS;
        left_out
    }

    /// Reports prefixes that the kernel has although its dump, which it marked as complete, did not
    /// show them.
    fn report_ended_early(&mut self, present: &[(u32, Prefix)]) {
        let ended_early = &self.shared.kernel.ended_early;
        let count = present.len() as u64;
        let before = ended_early.swap(count, Ordering::Relaxed);
        if let (Some((table, prefix)), 0) = (present.first(), before) {
            log::warn!(
                event = "dump ended early", prefix:%, table = *table, prefixes = count;
                "the kernel's dump ends early: it does not show {prefix} (table {table}), which the \
                 kernel has. A route with more next hops than fit in a netlink message ends a dump \
                 (about 1,500): what is behind it stays as it is, and is not compared until that \
                 route has fewer"
            );
        } else if count == 0 && before > 0 {
            log::info!(event = "dumps complete"; "the kernel's dumps are complete again");
        }
    }
}
