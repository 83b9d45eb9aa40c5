//! Next-hop sets and the paths that they resolve to.

use std::collections::BTreeSet;

use ahash::AHashMap;

use crate::route::{Family, NextHopSet, Path, PathSet, SetBytes};

use crate::table::resolve::fallback::Resolved;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::resolve::set_index::SetIndex;
use crate::table::resolve::topology::Topology;
use crate::table::store::attribute_cache::AttributeCache;
use crate::table::store::ids::{PathSetId, SetId};
use crate::table::store::interner::Interner;

/// The paths of a set, or why there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::table) struct Resolution {
    /// Its paths, [`PathSetId::NONE`] where there are none.
    pub(in crate::table) paths: PathSetId,
    /// Why these differ from the kernel's, or why there are none.
    pub(in crate::table) held: Option<HoldReason>,
}

impl Resolution {
    /// No paths, for this reason.
    pub(in crate::table) const fn held(reason: HoldReason) -> Self {
        Self {
            paths: PathSetId::NONE,
            held: Some(reason),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ResolvedSet {
    resolution: Resolution,
    usable: bool,
}

/// The next-hop sets, the path sets, and the current mapping between them.
#[derive(Default)]
pub(in crate::table) struct Resolver {
    pub(in crate::table) sets: Interner<NextHopSet>,
    pub(in crate::table) path_sets: Interner<PathSet>,
    pub(in crate::table) topology: Topology,
    resolved: Vec<Option<ResolvedSet>>,
    attributes: AttributeCache,
    users: SetIndex,
    /// Held prefixes, by the set of their best route.
    held: AHashMap<SetId, usize>,
}

impl<T: Eq + std::hash::Hash> Default for Interner<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Resolver {
    /// The set's id, with one more reference.
    pub(in crate::table) fn acquire(&mut self, set: NextHopSet) -> SetId {
        let id = SetId(self.sets.acquire(set));
        if self.resolved_set(id).is_none() {
            if let Some(set) = self.sets.get(id.0) {
                self.users.enter(id, set);
            }
            self.update(id);
        }
        id
    }

    /// The id of the set that these bytes were last decoded to, if that set still exists; with one
    /// more reference.
    pub(in crate::table) fn cached_set(&mut self, bytes: SetBytes<'_>) -> Option<SetId> {
        let (id, version) = self.attributes.get(bytes)?;
        self.sets.retain_version(id.0, version).then_some(id)
    }

    pub(in crate::table) fn cache_set(&mut self, bytes: SetBytes<'_>, id: SetId) {
        let version = self.sets.version(id.0);
        self.attributes.put(bytes, (id, version));
    }

    /// Clears the cache: the bytes decode differently from here on.
    pub(in crate::table) fn clear_cache(&mut self) {
        self.attributes = AttributeCache::default();
    }

    /// The next-hop objects that sets name.
    pub(in crate::table) fn objects_used(&self) -> impl Iterator<Item = u32> {
        self.users.objects()
    }

    #[inline]
    pub(in crate::table) fn release(&mut self, id: SetId) {
        if let Some(set) = self.sets.release(id.0) {
            self.forget(id, &set);
        }
    }

    #[cold]
    fn forget(&mut self, id: SetId, set: &NextHopSet) {
        self.users.remove(id, set);
        let known = self.resolved.get_mut(id.0 as usize).and_then(Option::take);
        if let Some(ResolvedSet { resolution, .. }) = known {
            self.release_paths(resolution.paths);
        }
    }

    /// Gives routes announced from here on another id for an equal set; the old id gains a
    /// reference.
    pub(in crate::table) fn retire(&mut self, id: SetId) {
        self.sets.retire(id.0);
        if let Some(set) = self.sets.get(id.0) {
            self.users.remove(id, set);
        }
    }

    /// The sets of these objects, and of the groups that contain them.
    pub(in crate::table) fn by_objects(
        &self,
        objects: impl IntoIterator<Item = u32>,
    ) -> Vec<SetId> {
        let mut concerned: Vec<u32> = Vec::new();
        for object in objects {
            concerned.push(object);
            concerned.extend(self.topology.objects.groups_of(object));
        }
        concerned.sort_unstable();
        concerned.dedup();
        let sets = concerned
            .into_iter()
            .flat_map(|id| self.users.of_object(id));
        sets.collect()
    }

    /// The sets with a next hop through the interface, including those by objects; may include
    /// others, by groups with unknown members.
    pub(in crate::table) fn by_interface(&self, interface: u32) -> Vec<SetId> {
        let mut sets = self.by_objects(self.topology.objects.through(interface));
        sets.extend(self.users.of_interface(interface));
        sets
    }

    /// Those of these sets that `is` selects.
    pub(in crate::table) fn of(
        &self,
        sets: &[SetId],
        is: impl Fn(&Topology, &NextHopSet) -> bool,
    ) -> Vec<SetId> {
        let picked = |id: &&SetId| {
            let set = self.sets.get(id.0);
            set.is_some_and(|set| is(&self.topology, set))
        };
        sets.iter().filter(picked).copied().collect()
    }

    /// Resolves these sets again; returns those that changed.
    pub(in crate::table) fn update_these(
        &mut self,
        sets: impl IntoIterator<Item = SetId>,
    ) -> Vec<SetId> {
        let sets = sets.into_iter();
        sets.filter(|id| self.update(*id)).collect()
    }

    /// The VPP tables in which desired or installed paths look packets up.
    pub(in crate::table) fn looked_up(&self) -> BTreeSet<(Family, u32)> {
        if !self.topology.had_vrfs {
            return BTreeSet::new();
        }
        let paths = self.path_sets.iter().flat_map(|(_, set)| set.paths());
        paths.filter_map(Path::looks_up_in).collect()
    }

    /// Adjusts the count of held prefixes whose best route uses this set.
    pub(in crate::table) fn count_held(&mut self, id: SetId, held: bool) {
        if held {
            *self.held.entry(id).or_default() += 1;
        } else if let Some(count) = self.held.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&id);
            }
        }
    }

    /// The sets of held prefixes, with the number of prefixes of each.
    pub(in crate::table) fn held(&self) -> impl Iterator<Item = (SetId, usize)> {
        self.held.iter().map(|(id, count)| (*id, *count))
    }

    pub(in crate::table) fn retain_paths(&mut self, paths: PathSetId) {
        if !paths.is_none() {
            self.path_sets.retain(paths.0);
        }
    }

    pub(in crate::table) fn release_paths(&mut self, paths: PathSetId) {
        if !paths.is_none() {
            self.path_sets.release(paths.0);
        }
    }

    fn resolved_set(&self, id: SetId) -> Option<&ResolvedSet> {
        self.resolved.get(id.0 as usize)?.as_ref()
    }

    /// The desired paths for the set, and why some or all are missing.
    pub(in crate::table) fn resolution(&self, id: SetId) -> Resolution {
        const UNKNOWN: Resolution = Resolution::held(HoldReason::NoUsableNextHop);
        self.resolved_set(id)
            .map_or(UNKNOWN, |known| known.resolution)
    }

    /// Whether the kernel can currently forward by the set.
    pub(in crate::table) fn usable(&self, id: SetId) -> bool {
        self.resolved_set(id).is_some_and(|known| known.usable)
    }

    /// Resolves the set again; returns whether the result changed.
    fn update(&mut self, id: SetId) -> bool {
        let Some(set) = self.sets.get(id.0) else {
            return false;
        };
        let usable = self.topology.usable(set);
        let Resolved { paths, held } = self.topology.resolve_or_substitute(set);
        let acquired = paths.map(|paths| PathSetId(self.path_sets.acquire(paths)));
        let paths = acquired.unwrap_or(PathSetId::NONE);
        let resolution = Resolution { paths, held };
        let index = id.0 as usize;
        if self.resolved.len() <= index {
            self.resolved.resize(index + 1, None);
        }
        let new = Some(ResolvedSet { resolution, usable });
        let Some(resolved) = self.resolved.get_mut(index) else {
            return false;
        };
        let old = std::mem::replace(resolved, new);
        if let Some(ResolvedSet { resolution, .. }) = old {
            self.release_paths(resolution.paths);
        }
        old != new
    }

    /// All sets.
    pub(in crate::table) fn all(&self) -> Vec<SetId> {
        self.sets.iter().map(|(id, _)| SetId(id)).collect()
    }

    /// The sets that `is` selects.
    pub(in crate::table) fn marks(&self, is: impl Fn(&Topology, &NextHopSet) -> bool) -> SetMarks {
        let mut marks = SetMarks::default();
        for (id, set) in self.sets.iter() {
            if is(&self.topology, set) {
                marks.mark(SetId(id));
            }
        }
        marks
    }
}

/// A selection of sets.
#[derive(Default)]
pub(in crate::table) struct SetMarks(Vec<bool>);

impl SetMarks {
    pub(in crate::table) fn mark(&mut self, id: SetId) {
        let index = id.0 as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, false);
        }
        if let Some(mark) = self.0.get_mut(index) {
            *mark = true;
        }
    }

    pub(in crate::table) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::table) fn has(&self, id: SetId) -> bool {
        self.0.get(id.0 as usize).copied().unwrap_or(false)
    }
}
