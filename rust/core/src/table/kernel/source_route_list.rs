//! The IPv6 routes for packets of some sources only that are kept.

use std::collections::BTreeMap;

use ahash::AHashSet;

use crate::route::Prefix;

use crate::table::store::entry::Routes;

/// Destinations, each with one source, that are kept at most.
pub(in crate::table) const MOST: usize = if cfg!(test) { 4 } else { 4096 };

/// Kernel table, destination and source.
pub(in crate::table) type Place = (u32, Prefix, Prefix);

/// The routes for some sources, in the kernel's order at each place.
#[derive(Default)]
pub(in crate::table) struct SourceRoutes {
    pub(in crate::table) places: BTreeMap<Place, Routes>,
    /// Those notified since the dump began, which is older. More than [`MOST`]: any may be.
    pub(in crate::table) notified: AHashSet<Place>,
}

impl SourceRoutes {
    /// Another dump begins.
    pub(super) fn begin_dump(&mut self) {
        self.notified.clear();
    }

    /// Whether a dump may tell something about a place.
    pub(super) fn is_open(&self, place: &Place) -> bool {
        self.notified.len() <= MOST && !self.notified.contains(place)
    }

    /// Records a notification: what is known of the place is newer than the dump in progress.
    pub(super) fn notify(&mut self, place: Place, generation: u8) {
        if self.notified.len() <= MOST {
            self.notified.insert(place);
        }
        for route in self.places.get_mut(&place).into_iter().flatten() {
            route.generation = generation;
        }
    }
}
