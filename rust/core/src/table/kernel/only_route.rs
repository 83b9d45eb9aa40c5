//! Routes of a source with one route per prefix that reports every change: zebra, which sends its
//! best route only. Its messages arrive in one stream, so they are in order and nothing has to be
//! inferred.

use ahash::AHashSet;

use crate::route::{NextHopSet, Prefix, RouteKey, SetBytes};

use crate::table::Table;
use crate::table::kernel::kernel_order::InsertMode;
use crate::table::kernel::update::Announcement;
use crate::table::store::entry::{KernelRoute, Routes};
use crate::table::store::ids::Handle;

/// The first route of the prefix that was not injected ([`Table::inject`]).
fn first_not_injected(
    injected: &AHashSet<(RouteKey, u8)>,
    table: u32,
    prefix: Prefix,
    routes: &Routes,
) -> Option<usize> {
    let is_injected = |route: &KernelRoute| {
        let key = RouteKey {
            table,
            prefix,
            tos: route.tos,
            metric: route.metric,
        };
        injected.contains(&(key, route.protocol))
    };
    routes.iter().position(|route| !is_injected(route))
}

impl Table {
    /// Adds a route, with its set decoded as in [`Self::announce_encoded`], in place of all routes
    /// of its prefix except injected ones. Queues a result at once if VPP has already answered.
    ///
    /// # Errors
    /// What `read` returns: the route is then not added.
    pub fn announce_only<E>(
        &mut self,
        announcement: Announcement,
        bytes: Option<SetBytes<'_>>,
        read: impl FnOnce() -> Result<NextHopSet, E>,
    ) -> Result<(), E> {
        let key = announcement.key;
        self.announce_encoded(announcement, bytes, read, InsertMode::Only)?;
        self.queue_known_result(&key);
        Ok(())
    }

    /// Whether the source has shown its route of a prefix since [`Self::begin_connection`]; none where
    /// the table is not mirrored or the prefix lists exclude the prefix.
    #[must_use]
    pub fn was_shown(&self, table: u32, prefix: &Prefix) -> Option<bool> {
        self.rib_index(prefix.family(), table)
            .filter(|_| self.scope.prefixes.allow(prefix))?;
        let seen = self.resyncs.seen();
        let routes = self
            .handle_of_prefix(table, prefix)
            .and_then(|handle| Some(self.rib(handle)?.routes(handle.slot)));
        Some(routes.is_some_and(|routes| routes.iter().any(|route| seen.has(route))))
    }

    /// Removes the source's route of a prefix.
    pub fn withdraw_only(&mut self, table: u32, prefix: &Prefix) {
        let injected = std::mem::take(&mut self.injected);
        let removed = self.handle_of_prefix(table, prefix).map_or(0, |handle| {
            let goes = |routes: &Routes| first_not_injected(&injected, table, *prefix, routes);
            self.remove_routes_at(handle, goes, |_| {})
        });
        self.injected = injected;
        let in_scope = self.rib_index(prefix.family(), table).is_some();
        if removed == 0 && in_scope && self.scope.prefixes.allow(prefix) {
            self.anomalies.unknown_withdrawals += 1;
        }
    }

    /// [`InsertMode::Only`] for a prefix that has another route, or several.
    pub(in crate::table) fn enter_only(&mut self, handle: Handle, key: RouteKey, new: KernelRoute) {
        let Some(rib) = self.rib(handle) else { return };
        let family = rib.family();
        let mut routes = rib.routes(handle.slot);
        let injected = std::mem::take(&mut self.injected);
        while let Some(at) = first_not_injected(&injected, key.table, key.prefix, &routes) {
            self.drop_route(handle, &mut routes, at);
        }
        self.injected = injected;
        let order = |route: &KernelRoute| (route.metric, route.tos) <= (new.metric, new.tos);
        let at = routes.partition_point(order);
        routes.insert(at, new);
        let counts = self.counts_mut(family);
        counts.kernel = counts.kernel.saturating_add(1);
        self.store_routes(handle, routes);
    }
}
