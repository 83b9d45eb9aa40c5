//! Routes in the order of their prefixes, though the table keeps them in the order in which they came.

use std::collections::BinaryHeap;
use std::vec::IntoIter;

use crate::route::{Family, Prefix};

use crate::table::Table;
use crate::table::query::filter::RouteFilter;
use crate::table::query::listing::MAX_SLOTS;
use crate::table::query::view::RouteView;
use crate::table::store::ids::Handle;

/// Prefixes that one walk over a table finds: a million routes take 16 walks, and a megabyte or two
/// at a time.
const MAX_FOUND: usize = 65_536;

/// Which mirrored table is listed: IPv4 first, then IPv6, lower tables first.
type Which = (Family, u32);

/// A listing that goes on from one page to the next while the table changes. It keeps some prefixes,
/// and no route.
#[derive(Debug)]
pub struct RoutesInOrder {
    filter: RouteFilter,
    found: usize,
    which: Option<Which>,
    /// Behind it the next walk begins.
    after: Option<Prefix>,
    /// The slot at which the walk goes on.
    slot: u32,
    /// The lowest prefixes that it has seen.
    lowest: BinaryHeap<Prefix>,
    /// Those of the last walk that are still to be shown.
    ready: IntoIter<Prefix>,
}

impl RoutesInOrder {
    /// A listing of what `filter` accepts.
    #[must_use]
    pub fn new(filter: RouteFilter) -> Self {
        Self::by(filter, MAX_FOUND)
    }

    /// `found` is how many prefixes one walk finds.
    #[must_use]
    pub fn by(filter: RouteFilter, found: usize) -> Self {
        Self {
            filter,
            found,
            which: None,
            after: None,
            slot: 0,
            lowest: BinaryHeap::new(),
            ready: Vec::new().into_iter(),
        }
    }

    /// The next routes, of at most `limit` prefixes: perhaps none, though there are more. `None` at
    /// the end.
    pub fn next(&mut self, table: &Table, limit: usize) -> Option<Vec<RouteView>> {
        let Some(which) = self.which else {
            self.which = Some(self.table_behind(table, None)?);
            return Some(Vec::new());
        };
        if self.ready.len() > 0 {
            return Some(self.shown(table, which, limit));
        }
        if self.walk(table, which) {
            let full = self.lowest.len() >= self.found;
            let mut lowest = std::mem::take(&mut self.lowest).into_sorted_vec();
            lowest.dedup();
            (self.after, self.slot) = (lowest.last().copied(), 0);
            self.ready = lowest.into_iter();
            if !full && self.ready.len() == 0 {
                self.which = Some(self.table_behind(table, Some(which))?);
                self.after = None;
            }
        }
        Some(Vec::new())
    }

    fn table_behind(&self, table: &Table, which: Option<Which>) -> Option<Which> {
        let all = table
            .ribs
            .iter()
            .map(|rib| (rib.family(), rib.kernel_table));
        all.filter(|other| Some(*other) > which).min()
    }

    fn shown(&mut self, table: &Table, (family, number): Which, limit: usize) -> Vec<RouteView> {
        let mut views = Vec::new();
        let Some(rib) = table.rib_index(family, number) else {
            return views;
        };
        for prefix in self.ready.by_ref().take(limit.max(1)) {
            let slot = table
                .ribs
                .get(usize::from(rib))
                .and_then(|r| r.find(&prefix));
            if let Some(slot) = slot {
                table.views(Handle { rib, slot }, &self.filter, &mut views);
            }
            table.source_specific_views_of((family, number), prefix, &self.filter, &mut views);
        }
        views
    }

    /// Looks at some more slots; returns whether these were the last.
    fn walk(&mut self, table: &Table, (family, number): Which) -> bool {
        let Some(index) = table.rib_index(family, number) else {
            return true;
        };
        let Some(rib) = table.ribs.get(usize::from(index)) else {
            return true;
        };
        let end = self.slot.saturating_add(MAX_SLOTS).min(rib.slots());
        let mut slot = self.slot;
        while slot < end {
            let handle = Handle { rib: index, slot };
            if let Some(prefix) = rib.prefix(slot).filter(|prefix| self.wants(prefix)) {
                let mut accepted = false;
                table.each_accepted(handle, &self.filter, |_, _, _, _| accepted = true);
                if accepted {
                    self.keep(prefix);
                }
            }
            slot += 1;
        }
        self.slot = slot;
        let last = slot >= rib.slots();
        if last && family == Family::V6 {
            let accepted = table.accepted_source_specific(&self.filter);
            let in_table = accepted.filter(|((table, ..), _)| *table == number);
            let prefixes: Vec<Prefix> = in_table.map(|((_, prefix, _), _)| *prefix).collect();
            for prefix in prefixes {
                if self.wants(&prefix) {
                    self.keep(prefix);
                }
            }
        }
        last
    }

    fn wants(&self, prefix: &Prefix) -> bool {
        Some(*prefix) > self.after
            && (self.lowest.len() < self.found || Some(prefix) < self.lowest.peek())
    }

    fn keep(&mut self, prefix: Prefix) {
        self.lowest.push(prefix);
        if self.lowest.len() > self.found {
            self.lowest.pop();
        }
    }
}
