//! Routes by MPLS label. `mpls_route_add_del` has no FIB source, so that VPP gets none of them: they
//! are kept to be listed and counted, apart from the prefixes.

use std::collections::BTreeMap;

use crate::route::{Label, LabelRoute};

use crate::table::Table;
use crate::table::kernel::dump_tracker::DumpTracker;
use crate::table::resolve::hold_reason::HoldReason;

/// Labels that are kept at most.
const MAX_KEPT: usize = if cfg!(test) { 4 } else { 1 << 16 };

/// The routes by label, and the dump of them in progress.
#[derive(Default)]
pub(in crate::table) struct LabelRoutes {
    routes: BTreeMap<Label, LabelRoute>,
    pub(in crate::table) dump: Option<DumpTracker>,
}

impl Table {
    /// Applies a route by label. Returns false where it is not kept, as there are too many.
    pub fn announce_label(&mut self, label: Label, route: LabelRoute) -> bool {
        DumpTracker::notified(&mut self.label_routes.dump, label);
        self.enter_label(label, route)
    }

    fn enter_label(&mut self, label: Label, route: LabelRoute) -> bool {
        let known = &mut self.label_routes.routes;
        if known.len() >= MAX_KEPT && !known.contains_key(&label) {
            return false;
        }
        known.insert(label, route);
        true
    }

    /// Removes a route by label.
    pub fn withdraw_label(&mut self, label: Label) {
        DumpTracker::notified(&mut self.label_routes.dump, label);
        self.label_routes.routes.remove(&label);
    }

    /// Begins a dump of the routes by label: notifications from here on are newer than it.
    pub fn begin_label_dump(&mut self) {
        self.label_routes.dump = Some(DumpTracker::default());
    }

    /// Applies one that the dump shows, like [`Self::announce_label`].
    pub fn dumped_label(&mut self, label: Label, route: LabelRoute) -> bool {
        !DumpTracker::dumped(&mut self.label_routes.dump, label) || self.enter_label(label, route)
    }

    /// Ends the dump and removes the routes by label that it did not show.
    pub fn sweep_labels(&mut self) {
        if let Some(dump) = self.label_routes.dump.take() {
            let routes = &mut self.label_routes.routes;
            routes.retain(|label, _| !dump.is_stale(*label));
        }
    }

    /// The routes by label, of every protocol, in order.
    pub fn label_routes(&self) -> impl Iterator<Item = (Label, &LabelRoute)> {
        self.label_routes
            .routes
            .iter()
            .map(|(l, route)| (*l, route))
    }

    /// The number of those of mirrored protocols, with the reason that holds them; none if there are
    /// none.
    pub(in crate::table) fn held_labels(&self) -> Option<(&'static str, usize)> {
        let mirrored = |route: &&LabelRoute| self.scope.mirrors(route.protocol);
        let count = self.label_routes.routes.values().filter(mirrored).count();
        (count > 0).then_some((HoldReason::MplsRoute.name(), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Scope;

    fn of(protocol: u8) -> LabelRoute {
        let hops = Vec::new();
        LabelRoute { protocol, hops }
    }

    fn labels(table: &Table) -> Vec<Label> {
        table.label_routes().map(|(label, _)| label).collect()
    }

    #[test]
    fn mirrored_ones_are_counted_as_held() {
        let mut table = Table::new(Scope::default());
        assert_eq!(table.held_routes().get("mpls_route"), None);
        assert!(table.announce_label(100, of(12)) && table.announce_label(200, of(3)));
        assert_eq!(table.held_routes()["mpls_route"], 1);
        table.withdraw_label(100);
        assert_eq!(table.held_routes().get("mpls_route"), None);
        assert_eq!(labels(&table), [200]);
    }

    #[test]
    fn a_dump_removes_what_it_does_not_show_and_nothing_newer() {
        let mut table = Table::new(Scope::default());
        for label in [100, 200] {
            table.announce_label(label, of(12));
        }
        table.begin_label_dump();
        table.withdraw_label(100);
        table.announce_label(300, of(12));
        assert!(table.dumped_label(100, of(12)), "older than the withdrawal");
        assert!(table.dumped_label(400, of(12)));
        table.sweep_labels();
        assert_eq!(labels(&table), [300, 400]);
        table.sweep_labels();
        assert_eq!(labels(&table), [300, 400], "no dump was begun");
    }

    #[test]
    fn so_many_are_kept() {
        let mut table = Table::new(Scope::default());
        assert!((16..20).all(|label| table.announce_label(label, of(12))));
        assert!(!table.announce_label(20, of(12)));
        assert!(table.announce_label(16, of(186)), "a known one changes");
        assert_eq!(table.label_routes().count(), MAX_KEPT);
    }
}
