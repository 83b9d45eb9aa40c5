//! The routes.
//!
//! A prefix may have routes of several sources; the one with the lowest priority value forwards.

use ahash::RandomState;
use bgpreflector_core::route::Prefix;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::paths::ApiPath;
use crate::sets::{Set, SetId, Sets};
use crate::sources::Sources;

/// VPP table and prefix.
pub(crate) type Key = (u32, Prefix);

/// A prefix's routes.
struct Entry {
    /// Index of its counters, which does not change while it has a route.
    stats_index: u32,
    /// Source and paths.
    routes: SmallVec<[(u8, SetId); 1]>,
}

/// The effect of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Replaced,
    Deleted,
    Absent,
}

/// The forwarding route of a prefix.
pub(crate) struct Best<'a> {
    pub(crate) key: Key,
    pub(crate) stats_index: u32,
    pub(crate) source: u8,
    pub(crate) set: &'a Set,
}

#[derive(Default)]
pub(crate) struct Fib {
    entries: HashMap<Key, Entry, RandomState>,
    pub(crate) sets: Sets,
    /// The counters' index that was assigned last.
    last_stats_index: u32,
}

impl Fib {
    pub(crate) fn replace(&mut self, key: Key, source: u8, set: SetId) -> Change {
        // Before the release of the old one, which may be the same.
        self.sets.retain(set);
        let last = &mut self.last_stats_index;
        let entry = self.entries.entry(key).or_insert_with(|| {
            *last = last.wrapping_add(1);
            let stats_index = *last;
            let routes = SmallVec::new();
            Entry {
                stats_index,
                routes,
            }
        });
        match entry.routes.iter_mut().find(|(id, _)| *id == source) {
            Some((_, current)) => {
                let old = std::mem::replace(current, set);
                self.sets.release(old);
                Change::Replaced
            }
            None => {
                entry.routes.push((source, set));
                Change::Added
            }
        }
    }

    pub(crate) fn delete(&mut self, key: &Key, source: u8) -> Change {
        let Some(entry) = self.entries.get_mut(key) else {
            return Change::Absent;
        };
        let place = entry.routes.iter().position(|(id, _)| *id == source);
        let removed = place.map(|place| entry.routes.remove(place));
        if let Some((_, set)) = removed {
            self.sets.release(set);
        }
        if entry.routes.is_empty() {
            self.entries.remove(key);
        }
        if removed.is_some() {
            Change::Deleted
        } else {
            Change::Absent
        }
    }

    /// Adds paths to a source's route (`is_multipath`). An existing path stays as it is, including
    /// its weight (`fib_path_list_copy_and_path_add`).
    pub(crate) fn add_next_hops(&mut self, key: Key, source: u8, next_hops: SetId) -> Change {
        let mut paths = self.paths_of(&key, source);
        let there: Vec<_> = paths.iter().map(ApiPath::identity).collect();
        let next_hops = self.sets.get(next_hops).map(|set| set.paths.clone());
        let new = next_hops.iter().flat_map(|next_hops| next_hops.iter());
        paths.extend(
            new.filter(|next_hop| !there.contains(&next_hop.identity()))
                .cloned(),
        );
        let set = self.sets.intern(paths);
        self.replace(key, source, set)
    }

    /// Removes paths from a source's route; deletes it with its last path.
    pub(crate) fn remove_next_hops(&mut self, key: &Key, source: u8, next_hops: SetId) -> Change {
        let mut paths = self.paths_of(key, source);
        if paths.is_empty() {
            return Change::Absent;
        }
        let next_hops = self.sets.get(next_hops).map(|set| set.paths.clone());
        for next_hop in next_hops.iter().flat_map(|next_hops| next_hops.iter()) {
            let same = |path: &ApiPath| path.identity() == next_hop.identity();
            if let Some(position) = paths.iter().position(same) {
                paths.remove(position);
            }
        }
        if paths.is_empty() {
            return self.delete(key, source);
        }
        let set = self.sets.intern(paths);
        self.replace(*key, source, set)
    }

    /// A source's route for a prefix, forwarding or not.
    pub(crate) fn route(&self, key: &Key, source: u8) -> Option<&Set> {
        let mut routes = self.entries.get(key)?.routes.iter();
        self.sets.get(routes.find(|(id, _)| *id == source)?.1)
    }

    fn paths_of(&self, key: &Key, source: u8) -> Vec<ApiPath> {
        let set = self.route(key, source);
        set.map(|set| set.paths.to_vec()).unwrap_or_default()
    }

    /// The index of a prefix's counters.
    pub(crate) fn stats_index(&self, key: &Key) -> Option<u32> {
        Some(self.entries.get(key)?.stats_index)
    }

    /// The forwarding route of a prefix.
    pub(crate) fn best(&self, key: &Key, sources: &Sources) -> Option<Best<'_>> {
        self.best_of(*key, self.entries.get(key)?, sources)
    }

    fn best_of(&self, key: Key, entry: &Entry, sources: &Sources) -> Option<Best<'_>> {
        let priority = |(id, _): &&(u8, SetId)| (sources.priority(*id).unwrap_or(u8::MAX), *id);
        let (source, set) = *entry.routes.iter().min_by_key(priority)?;
        Some(Best {
            key,
            stats_index: entry.stats_index,
            source,
            set: self.sets.get(set)?,
        })
    }

    /// The forwarding route of the longest prefix that contains `prefix`.
    pub(crate) fn lookup(
        &self,
        table: u32,
        prefix: &Prefix,
        sources: &Sources,
    ) -> Option<Best<'_>> {
        (0..=prefix.length()).rev().find_map(|length| {
            let wider = Prefix::new(prefix.address(), length).ok()?;
            self.best(&(table, wider), sources)
        })
    }

    /// The forwarding route of each prefix.
    pub(crate) fn all<'a>(&'a self, sources: &'a Sources) -> impl Iterator<Item = Best<'a>> {
        let entries = self.entries.iter();
        entries.filter_map(|(key, entry)| self.best_of(*key, entry, sources))
    }

    /// The routes of one source, forwarding or not.
    pub(crate) fn of_source(&self, source: u8) -> impl Iterator<Item = (Key, &Set)> {
        self.entries.iter().filter_map(move |(key, entry)| {
            let (_, set) = entry.routes.iter().find(|(id, _)| *id == source)?;
            Some((*key, self.sets.get(*set)?))
        })
    }
}
