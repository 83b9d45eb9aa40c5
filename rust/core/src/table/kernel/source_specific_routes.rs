//! The source-specific routes that are kept.

use std::collections::BTreeMap;

use ahash::AHashSet;

use crate::route::Prefix;

use crate::table::store::entry::Routes;

/// Destinations, each with one source, that are kept at most.
pub(in crate::table) const MAX_KEPT: usize = if cfg!(test) { 4 } else { 4096 };

/// Kernel table, destination and source.
pub(in crate::table) type SourceSpecificKey = (u32, Prefix, Prefix);

/// The routes in the kernel's order by key.
#[derive(Default)]
pub(in crate::table) struct SourceSpecificRoutes {
    pub(in crate::table) routes: BTreeMap<SourceSpecificKey, Routes>,
    /// Those notified since the dump began, which is older. More than [`MAX_KEPT`]: any may be.
    pub(in crate::table) notified: AHashSet<SourceSpecificKey>,
}

impl SourceSpecificRoutes {
    /// Another dump begins.
    pub(super) fn begin_dump(&mut self) {
        self.notified.clear();
    }

    /// Whether a dump may tell something about a route of this key.
    pub(super) fn is_open(&self, route_key: &SourceSpecificKey) -> bool {
        self.notified.len() <= MAX_KEPT && !self.notified.contains(route_key)
    }

    /// Records a notification: what is known of the key is newer than the dump in progress.
    pub(super) fn notify(&mut self, route_key: SourceSpecificKey, generation: u8) {
        if self.notified.len() <= MAX_KEPT {
            self.notified.insert(route_key);
        }
        for route in self.routes.get_mut(&route_key).into_iter().flatten() {
            route.generation = generation;
        }
    }
}
