//! Views of the next-hop sets and what they resolve to.

use crate::route::{NextHop, NextHopSet, NextHopSource, PathSet};

use crate::table::Table;
use crate::table::resolve::fallback::Resolved;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::store::ids::SetId;

/// A stored next-hop set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetView {
    /// Its number, which another one may have once it is gone.
    pub id: u32,
    /// The set.
    pub set: NextHopSet,
    /// The next hops, including those of a next-hop object; none while the object is unknown.
    pub next_hops: Vec<NextHop>,
    /// Kernel routes that use it.
    pub routes: u32,
    /// The desired paths, or why some or all are missing.
    pub resolved: Resolved,
}

impl Table {
    /// The paths that VPP would have for a route with these next hops now, whether or not the table
    /// has such a route.
    ///
    /// # Errors
    /// [`HoldReason`] if it could have none.
    pub fn paths_for(&self, set: &NextHopSet) -> Result<PathSet, HoldReason> {
        let resolved = self.resolver.topology.resolve(set);
        match (resolved.paths, resolved.held) {
            (Some(paths), None) => Ok(paths),
            (_, held) => Err(held.unwrap_or(HoldReason::NoUsableNextHop)),
        }
    }

    /// Like [`Self::paths_for`], with the substitute for a held route.
    ///
    /// # Errors
    /// [`HoldReason`] if there is no substitute.
    pub fn paths_given_for(&self, set: &NextHopSet) -> Result<PathSet, HoldReason> {
        let resolved = self.resolver.topology.resolve_or_substitute(set).paths;
        resolved.map_or_else(|| self.paths_for(set), Ok)
    }

    /// Stored next-hop sets from `cursor` (0: the first), at most `limit`, and the next cursor.
    #[must_use]
    pub fn next_hop_sets(&self, cursor: u32, limit: usize) -> (Vec<SetView>, Option<u32>) {
        let resolver = &self.resolver;
        let later = resolver.sets.iter().skip_while(|(id, _)| *id < cursor);
        let mut views = Vec::new();
        for (id, set) in later {
            if views.len() >= limit {
                return (views, Some(id));
            }
            let resolution = resolver.resolution(SetId(id));
            let resolved = Resolved {
                paths: self.paths(resolution.paths).cloned(),
                held: resolution.held,
            };
            views.push(SetView {
                id,
                set: set.clone(),
                next_hops: self.next_hops_of(&set.next_hops),
                routes: resolver.sets.references(id),
                resolved,
            });
        }
        (views, None)
    }

    pub(super) fn next_hops_of(&self, source: &NextHopSource) -> Vec<NextHop> {
        let hops = self.resolver.topology.next_hops(source);
        hops.ok().flatten().map(|h| h.to_vec()).unwrap_or_default()
    }
}
