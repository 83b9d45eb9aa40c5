//! Routes that the kernel does not have, injected by a handler in addition to the kernel's.

use crate::route::{Route, RouteKey};

use crate::table::Table;
use crate::table::kernel::kernel_order::InsertMode;
use crate::table::store::ids::Handle;

impl Table {
    /// Injects a route, which no resync removes (no kernel dump shows it) until it is withdrawn. It
    /// replaces one with the same key; once the kernel announces a route with its key and protocol,
    /// that is an ordinary kernel route.
    pub fn inject(&mut self, route: Route) {
        let injected = (route.key, route.protocol);
        self.announce(route, InsertMode::Replace);
        self.injected.insert(injected);
    }

    /// Removes the routes with a key and protocol, whatever their next hops.
    pub fn withdraw_injected(&mut self, key: RouteKey, protocol: u8) {
        for view in self.routes_of(key.table, &key.prefix) {
            if (view.tos, view.metric, view.protocol) == (key.tos, key.metric, protocol) {
                let set = view.set;
                self.withdraw(Route { key, protocol, set });
            }
        }
    }

    /// Forgets an injected route once a notification is about its key and protocol.
    pub(in crate::table) fn forget_injection(&mut self, key: RouteKey, protocol: u8) {
        if !self.injected.is_empty() {
            self.injected.remove(&(key, protocol));
        }
    }

    /// The name of a route's source.
    pub(in crate::table) fn source_of(&self, key: RouteKey, protocol: u8) -> &'static str {
        match self.injected.contains(&(key, protocol)) {
            true => "injected",
            false => self.scope.source.name(),
        }
    }

    /// Lets the next resync remove all routes of [`Self::inject`].
    pub fn forget_injected(&mut self) {
        self.injected.clear();
    }

    /// Marks them as seen by the resync that is about to end.
    pub(in crate::table) fn mark_injected_seen(&mut self) {
        let generation = self.resyncs.generation();
        let injected: Vec<(RouteKey, u8)> = self.injected.iter().copied().collect();
        for (key, protocol) in injected {
            let Some(index) = self.rib_index(key.prefix.family(), key.table) else {
                continue;
            };
            let rib = self.ribs.get(usize::from(index));
            let Some(slot) = rib.and_then(|rib| rib.find(&key.prefix)) else {
                continue;
            };
            let mut routes = rib.map(|rib| rib.routes(slot)).unwrap_or_default();
            for route in &mut routes {
                if (route.tos, route.metric, route.protocol) == (key.tos, key.metric, protocol) {
                    route.generation = generation;
                }
            }
            self.put_routes(Handle { rib: index, slot }, routes);
        }
    }
}
