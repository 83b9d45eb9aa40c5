//! The routes.
//!
//! A prefix may have routes of several sources; the one of the lowest priority forwards. Paths are
//! kept once a distinct set, found by the bytes in which a client sent them.

use ahash::RandomState;
use bgpreflector_core::route::{Path, PathSet, Prefix};
use bgpreflector_core::vpp::PathBytes;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::sources::Sources;

/// VPP table and prefix.
pub(crate) type Key = (u32, Prefix);

/// A source's route: its id and the number of its paths.
type BySource = SmallVec<[(u8, u32); 1]>;

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Replaced,
    Deleted,
    Absent,
}

#[derive(Default)]
pub(crate) struct Fib {
    routes: HashMap<Key, BySource, RandomState>,
    sets: Vec<PathSet>,
    by_bytes: HashMap<Box<[u8]>, u32, RandomState>,
    by_set: HashMap<PathSet, u32, RandomState>,
}

impl Fib {
    /// Number of the set that a client's bytes mean; none where they mean none.
    pub(crate) fn set_of(&mut self, bytes: PathBytes<'_>) -> Option<u32> {
        if let Some(id) = self.by_bytes.get(bytes.as_bytes()) {
            return Some(*id);
        }
        let set = bytes.to_set().ok()?;
        let id = self.keep(set);
        self.by_bytes.insert(bytes.as_bytes().into(), id);
        Some(id)
    }

    fn keep(&mut self, set: PathSet) -> u32 {
        if let Some(id) = self.by_set.get(&set) {
            return *id;
        }
        let id = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.by_set.insert(set.clone(), id);
        self.sets.push(set);
        id
    }

    pub(crate) fn set(&self, id: u32) -> Option<&PathSet> {
        self.sets.get(id as usize)
    }

    pub(crate) fn replace(&mut self, key: Key, source: u8, set: u32) -> Change {
        let routes = self.routes.entry(key).or_default();
        match routes.iter_mut().find(|(id, _)| *id == source) {
            Some((_, old)) => {
                *old = set;
                Change::Replaced
            }
            None => {
                routes.push((source, set));
                Change::Added
            }
        }
    }

    pub(crate) fn delete(&mut self, key: &Key, source: u8) -> Change {
        let Some(routes) = self.routes.get_mut(key) else {
            return Change::Absent;
        };
        let before = routes.len();
        routes.retain(|(id, _)| *id != source);
        let change = if routes.len() < before {
            Change::Deleted
        } else {
            Change::Absent
        };
        if routes.is_empty() {
            self.routes.remove(key);
        }
        change
    }

    /// Adds legs to a source's route (`is_multipath`); a leg that is there gets the new weight.
    pub(crate) fn add_legs(&mut self, key: Key, source: u8, legs: &PathSet) -> Change {
        let mut paths = self.paths_of(&key, source);
        paths.retain(|path| !legs.paths().iter().any(|leg| same_leg(path, leg)));
        paths.extend(legs.paths().iter().cloned());
        let set = self.keep(PathSet::new(paths));
        self.replace(key, source, set)
    }

    /// Takes legs from a source's route; without any left it is deleted.
    pub(crate) fn remove_legs(&mut self, key: &Key, source: u8, legs: &PathSet) -> Change {
        let mut paths = self.paths_of(key, source);
        paths.retain(|path| !legs.paths().iter().any(|leg| same_leg(path, leg)));
        if paths.is_empty() {
            return self.delete(key, source);
        }
        let set = self.keep(PathSet::new(paths));
        self.replace(*key, source, set)
    }

    fn paths_of(&self, key: &Key, source: u8) -> Vec<Path> {
        let set = self
            .routes
            .get(key)
            .and_then(|r| r.iter().find(|(id, _)| *id == source));
        let set = set.and_then(|(_, set)| self.set(*set));
        set.map(|set| set.paths().to_vec()).unwrap_or_default()
    }

    /// The source and paths that a prefix is forwarded by.
    pub(crate) fn best(&self, key: &Key, sources: &Sources) -> Option<(u8, &PathSet)> {
        self.best_of(self.routes.get(key)?, sources)
    }

    fn best_of(&self, routes: &BySource, sources: &Sources) -> Option<(u8, &PathSet)> {
        let priority = |(id, _): &&(u8, u32)| (sources.priority(*id).unwrap_or(u8::MAX), *id);
        let (id, set) = routes.iter().min_by_key(priority)?;
        Some((*id, self.set(*set)?))
    }

    /// The longest prefix that holds `prefix`, and what forwards there.
    pub(crate) fn lookup(
        &self,
        table: u32,
        prefix: &Prefix,
        sources: &Sources,
    ) -> Option<(Prefix, u8, &PathSet)> {
        (0..=prefix.length()).rev().find_map(|length| {
            let wider = Prefix::new(prefix.address(), length).ok()?;
            let (source, set) = self.best(&(table, wider), sources)?;
            Some((wider, source, set))
        })
    }

    /// Everything, with the source and paths that each prefix is forwarded by.
    pub(crate) fn all<'a>(
        &'a self,
        sources: &'a Sources,
    ) -> impl Iterator<Item = (Key, u8, &'a PathSet)> {
        self.routes.iter().filter_map(|(key, routes)| {
            let (source, set) = self.best_of(routes, sources)?;
            Some((*key, source, set))
        })
    }

    /// The routes of one source, whether or not they forward.
    pub(crate) fn of_source(&self, source: u8) -> impl Iterator<Item = (Key, &PathSet)> {
        self.routes.iter().filter_map(move |(key, routes)| {
            let (_, set) = routes.iter().find(|(id, _)| *id == source)?;
            Some((*key, self.set(*set)?))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.routes.len()
    }
}

fn same_leg(a: &Path, b: &Path) -> bool {
    let without_weight = |path: &Path| Path {
        weight: 1,
        ..path.clone()
    };
    without_weight(a) == without_weight(b)
}
