//! One pass of dumps: of links, next-hop objects and routes, in this order.

use std::sync::Arc;
use std::time::Duration;

use bgpreflector_core::netlink::{
    PartialMessage, Payload, RouteDumpRequest, label_dump, link_dump, next_hop_dump,
};
use bgpreflector_core::route::Family;
use bgpreflector_core::table::{DumpScope, InsertMode, Table};

use crate::deadline::earlier;
use crate::error::KernelError;

use super::apply;
use super::dump::{Dumper, Ended, Replies};
use super::monitor::Monitor;
use super::sysctl::sysctl;

/// A setting that only kernels with MPLS have (`mpls_router`).
const MPLS_LABELS: &str = "mpls/platform_labels";

/// The result of one pass of dumps.
#[derive(Default)]
pub(super) struct DumpPass {
    pub(super) dumped: usize,
    /// IPv6 routes were announced during their dump.
    pub(super) v6_announced: bool,
    /// IPv6 routes may have been withdrawn during their dump.
    pub(super) v6_withdrawn: bool,
    /// A family's dump was inconsistent.
    pub(super) interrupted: bool,
    /// Notifications were lost during the pass.
    pub(super) overrun: bool,
    /// The shortest lifetime in the dumps.
    pub(super) expiry: Option<Duration>,
}

impl Monitor {
    pub(super) fn pass(
        &mut self,
        dumper: &mut Dumper,
        dump_scope: &DumpScope,
        drops: u32,
    ) -> Result<DumpPass, KernelError> {
        let mut pass = DumpPass::default();
        // The kernel notifies before it removes an IPv4 route (`fib_table_delete`) or the routes of
        // a link that goes down (`__dev_notify_flags`), and dumps routes without the lock that is
        // held meanwhile (`rtnl_lock`). A dump of links takes it: what was notified is then done.
        self.dump_links(dumper, &mut pass)?;
        let interfaces = match dump_scope {
            DumpScope::Everything => {
                self.dump_next_hops(dumper, &mut pass)?;
                vec![None]
            }
            DumpScope::Interfaces(all) => all.iter().copied().map(Some).collect(),
        };
        // Changes before the route dump do not affect it.
        (pass.v6_announced, pass.v6_withdrawn) = (false, false);
        let (families, tables) = {
            let table = self.shared.table();
            let scope = table.scope();
            let named = scope.tables.keys().copied().map(Some);
            let tables: Vec<Option<u32>> = if scope.discovery.is_on() {
                vec![None]
            } else {
                named.collect()
            };
            (scope.families.clone(), tables)
        };
        for family in families {
            let each = tables
                .iter()
                .flat_map(|table| interfaces.iter().map(move |i| (table, i)));
            for (table, interface) in each {
                // Of every protocol, like the notifications: a foreign route may replace, or be
                // replaced by, one of ours.
                let request = RouteDumpRequest {
                    family,
                    table: *table,
                    interface: *interface,
                };
                self.dump_routes(dumper, request, &mut pass)?;
            }
        }
        let has_mpls = || sysctl(self.namespace_path().as_deref(), MPLS_LABELS);
        if *dump_scope == DumpScope::Everything && has_mpls()?.is_some() {
            self.dump_labels(dumper, &mut pass)?;
        }
        pass.overrun |= self.drops() != drops;
        Ok(pass)
    }

    pub(super) fn dump_links(
        &mut self,
        dumper: &mut Dumper,
        pass: &mut DumpPass,
    ) -> Result<(), KernelError> {
        self.shared.change(Table::begin_link_dump);
        let shared = Arc::clone(&self.shared);
        let take = |table: &mut _, replies: &mut Replies<'_>, _: &mut DumpPass| {
            for (_, message) in replies {
                let PartialMessage::Other(payload) = message else {
                    continue;
                };
                if let Payload::Link(link) = *payload {
                    apply::dumped_link(&shared, table, &link);
                }
            }
        };
        let dumped = self.dump(dumper, "links", link_dump, take, pass);
        self.shared.change(|table| {
            if matches!(dumped, Ok(true)) {
                table.sweep_links();
            } else {
                table.abandon_link_dump();
            }
        });
        dumped.map(drop)
    }

    fn dump_next_hops(
        &mut self,
        dumper: &mut Dumper,
        pass: &mut DumpPass,
    ) -> Result<(), KernelError> {
        self.shared.change(Table::begin_next_hop_dump);
        let shared = Arc::clone(&self.shared);
        let take = |table: &mut _, replies: &mut Replies<'_>, _: &mut DumpPass| {
            for (_, message) in replies {
                let PartialMessage::Other(payload) = message else {
                    continue;
                };
                if let Payload::NextHop(next_hop) = *payload {
                    apply::dumped_next_hop(&shared, table, &next_hop);
                }
            }
        };
        if self.dump(dumper, "next-hop objects", next_hop_dump, take, pass)? {
            self.shared.change(Table::sweep_next_hops);
        }
        Ok(())
    }

    /// The routes by label, of a kernel with MPLS. A dump of them that is incomplete says nothing about
    /// the others.
    fn dump_labels(&mut self, dumper: &mut Dumper, pass: &mut DumpPass) -> Result<(), KernelError> {
        self.shared.change(Table::begin_label_dump);
        let shared = Arc::clone(&self.shared);
        let take = |table: &mut _, replies: &mut Replies<'_>, _: &mut DumpPass| {
            for (_, message) in replies {
                let PartialMessage::Other(payload) = message else {
                    continue;
                };
                if let Payload::LabelRoute(route) = *payload {
                    apply::dumped_label(&shared, table, *route);
                }
            }
        };
        let mut own = DumpPass::default();
        if self.dump(dumper, "MPLS routes", label_dump, take, &mut own)? {
            self.shared.change(Table::sweep_labels);
        }
        pass.overrun |= own.overrun;
        pass.v6_announced |= own.v6_announced;
        pass.v6_withdrawn |= own.v6_withdrawn;
        Ok(())
    }

    fn dump_routes(
        &mut self,
        dumper: &mut Dumper,
        request: RouteDumpRequest,
        pass: &mut DumpPass,
    ) -> Result<(), KernelError> {
        let what = match request.family {
            Family::V4 => "IPv4 routes",
            Family::V6 => "IPv6 routes",
        };
        let shared = Arc::clone(&self.shared);
        let mut other = DumpPass::default();
        let insert_mode = match request.interface {
            None => InsertMode::Dump,
            Some(_) => InsertMode::PartialDump,
        };
        let take = |table: &mut _, replies: &mut Replies<'_>, pass: &mut DumpPass| {
            while let Some((raw, message)) = replies.next() {
                let route = match message {
                    PartialMessage::Announced(route) => route,
                    PartialMessage::Other(payload) => {
                        if let Payload::SourceSpecific(from) = *payload {
                            pass.dumped += 1;
                            apply::source_specific(&shared, table, *from, insert_mode);
                        }
                        continue;
                    }
                };
                pass.dumped += 1;
                pass.expiry = earlier(pass.expiry, apply::expiry(&route));
                let taken = apply::announcement(&shared, table, &route, insert_mode);
                if let Err(problem) = taken {
                    replies.malformed(&raw.error(problem));
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
        pass.dumped += other.dumped;
        pass.expiry = earlier(pass.expiry, other.expiry);
        pass.overrun |= other.overrun;
        pass.interrupted |= other.interrupted;
        if request.family == Family::V6 {
            pass.v6_announced |= other.v6_announced;
            pass.v6_withdrawn |= other.v6_withdrawn;
        }
        Ok(())
    }

    /// Runs one dump; notifications that arrive meanwhile are applied before each buffer of it, so
    /// none waits for a long dump to end. Returns whether the dump was complete: what a complete
    /// dump did not show is gone.
    fn dump(
        &mut self,
        dumper: &mut Dumper,
        what: &'static str,
        request: impl FnOnce(u32) -> Vec<u8>,
        mut take: impl FnMut(&mut Table, &mut Replies<'_>, &mut DumpPass),
        pass: &mut DumpPass,
    ) -> Result<bool, KernelError> {
        let shared = Arc::clone(&self.shared);
        let overrun_before = std::mem::take(&mut pass.overrun);
        let note = |monitor: &mut Self, pass: &mut DumpPass| {
            let effects = monitor.drain()?;
            pass.overrun |= effects.overrun;
            pass.v6_announced |= effects.v6_announced;
            pass.v6_withdrawn |= effects.v6_withdrawn || effects.to_verify.is_some();
            Ok(())
        };
        let ended = dumper.dump(&shared, what, request, |replies| {
            note(self, pass)?;
            shared.change(|table| {
                // One walk per buffer finds the routes of its links and next-hop objects.
                table.defer();
                take(table, replies, pass);
                table.apply_deferred();
            });
            Ok(())
        })?;
        note(self, pass)?;
        let whole = ended == Ended::Complete && !pass.overrun;
        pass.interrupted |= ended == Ended::Interrupted;
        pass.overrun |= overrun_before;
        Ok(whole)
    }
}

#[cfg(test)]
mod tests;
