//! What each next-hop set means for VPP now.

use ahash::AHashMap;

use crate::route::{NextHopSet, PathSet, SetBytes};

use super::fallback::Resolved;
use super::held::Held;
use super::ids::{PathSetId, SetId};
use super::interner::Interner;
use super::recollection::Recollection;
use super::resolve::Surroundings;
use super::users::Users;

/// What VPP shall have for a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resolution {
    /// Its paths, [`PathSetId::NONE`] where there are none.
    pub(super) paths: PathSetId,
    /// Why these are not what the kernel has, or why there are none.
    pub(super) held: Option<Held>,
}

impl Resolution {
    /// Nothing, for this reason.
    pub(super) const fn held(reason: Held) -> Self {
        Self {
            paths: PathSetId::NONE,
            held: Some(reason),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meaning {
    resolution: Resolution,
    usable: bool,
}

/// The next-hop sets, the path sets, and which is which at present.
#[derive(Default)]
pub(super) struct Meanings {
    pub(super) sets: Interner<NextHopSet>,
    pub(super) path_sets: Interner<PathSet>,
    pub(super) around: Surroundings,
    meanings: Vec<Option<Meaning>>,
    recollection: Recollection,
    users: Users,
    /// Prefixes that VPP cannot have, by their best route's set.
    held: AHashMap<SetId, usize>,
}

impl<T: Eq + std::hash::Hash> Default for Interner<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Meanings {
    /// The set's number; it gains one reference.
    pub(super) fn acquire(&mut self, set: NextHopSet) -> SetId {
        let id = SetId(self.sets.acquire(set));
        if self.meaning(id).is_none() {
            if let Some(set) = self.sets.get(id.0) {
                self.users.enter(id, set);
            }
            self.update(id);
        }
        id
    }

    /// The number of the set that these bytes were last read as, if there is still that set; it
    /// gains one reference.
    pub(super) fn recall(&mut self, bytes: SetBytes<'_>) -> Option<SetId> {
        let (id, version) = self.recollection.get(bytes)?;
        self.sets.retain_version(id.0, version).then_some(id)
    }

    pub(super) fn remember(&mut self, bytes: SetBytes<'_>, id: SetId) {
        let version = self.sets.version(id.0);
        self.recollection.put(bytes, (id, version));
    }

    /// Forgets what bytes were read as: they mean something else from here on.
    pub(super) fn forget_bytes(&mut self) {
        self.recollection = Recollection::default();
    }

    /// The next-hop objects that sets name.
    pub(super) fn objects_used(&self) -> impl Iterator<Item = u32> {
        self.users.objects()
    }

    pub(super) fn release(&mut self, id: SetId) {
        let Some(set) = self.sets.release(id.0) else {
            return;
        };
        self.users.remove(id, &set);
        let meaning = self.meanings.get_mut(id.0 as usize).and_then(Option::take);
        if let Some(Meaning { resolution, .. }) = meaning {
            self.release_paths(resolution.paths);
        }
    }

    /// Gives routes that are announced from here on another number for the same set; the number
    /// gains one reference.
    pub(super) fn retire(&mut self, id: SetId) {
        self.sets.retire(id.0);
        if let Some(set) = self.sets.get(id.0) {
            self.users.remove(id, set);
        }
    }

    /// The sets of these objects, and of the groups that they are members of.
    pub(super) fn by_objects(&self, objects: impl IntoIterator<Item = u32>) -> Vec<SetId> {
        let mut concerned: Vec<u32> = Vec::new();
        for object in objects {
            concerned.push(object);
            concerned.extend(self.around.objects.groups_of(object));
        }
        concerned.sort_unstable();
        concerned.dedup();
        let sets = concerned
            .into_iter()
            .flat_map(|id| self.users.of_object(id));
        sets.collect()
    }

    /// The sets with a next hop through the interface, those of objects included; some others may
    /// be among them, of groups whose members are not all known.
    pub(super) fn by_interface(&self, interface: u32) -> Vec<SetId> {
        let mut sets = self.by_objects(self.around.objects.through(interface));
        sets.extend(self.users.of_interface(interface));
        sets
    }

    /// The sets of these that `is` picks out.
    pub(super) fn of(
        &self,
        sets: &[SetId],
        is: impl Fn(&Surroundings, &NextHopSet) -> bool,
    ) -> Vec<SetId> {
        let picked = |id: &&SetId| {
            let set = self.sets.get(id.0);
            set.is_some_and(|set| is(&self.around, set))
        };
        sets.iter().filter(picked).copied().collect()
    }

    /// Works the meanings of these sets out again; returns those that changed.
    pub(super) fn update_these(&mut self, sets: impl IntoIterator<Item = SetId>) -> Vec<SetId> {
        let sets = sets.into_iter();
        sets.filter(|id| self.update(*id)).collect()
    }

    /// Takes note that a prefix is held, or no longer, whose best route has this set.
    pub(super) fn count_held(&mut self, id: SetId, held: bool) {
        if held {
            *self.held.entry(id).or_default() += 1;
        } else if let Some(count) = self.held.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&id);
            }
        }
    }

    /// The sets of held prefixes, and how many of those each has.
    pub(super) fn held(&self) -> impl Iterator<Item = (SetId, usize)> {
        self.held.iter().map(|(id, count)| (*id, *count))
    }

    pub(super) fn retain_paths(&mut self, paths: PathSetId) {
        if !paths.is_none() {
            self.path_sets.retain(paths.0);
        }
    }

    pub(super) fn release_paths(&mut self, paths: PathSetId) {
        if !paths.is_none() {
            self.path_sets.release(paths.0);
        }
    }

    fn meaning(&self, id: SetId) -> Option<&Meaning> {
        self.meanings.get(id.0 as usize)?.as_ref()
    }

    /// The paths that VPP shall have for the set, and why these are not all.
    pub(super) fn resolution(&self, id: SetId) -> Resolution {
        const UNKNOWN: Resolution = Resolution::held(Held::NoUsableNextHop);
        self.meaning(id)
            .map_or(UNKNOWN, |meaning| meaning.resolution)
    }

    /// Whether the kernel can forward by the set now.
    pub(super) fn usable(&self, id: SetId) -> bool {
        self.meaning(id).is_some_and(|meaning| meaning.usable)
    }

    /// Works the set's meaning out again; returns whether it is another one now.
    fn update(&mut self, id: SetId) -> bool {
        let Some(set) = self.sets.get(id.0) else {
            return false;
        };
        let usable = self.around.usable(set);
        let Resolved { paths, held } = self.around.resolve_or_substitute(set);
        let acquired = paths.map(|paths| PathSetId(self.path_sets.acquire(paths)));
        let paths = acquired.unwrap_or(PathSetId::NONE);
        let resolution = Resolution { paths, held };
        let index = id.0 as usize;
        if self.meanings.len() <= index {
            self.meanings.resize(index + 1, None);
        }
        let new = Some(Meaning { resolution, usable });
        let Some(place) = self.meanings.get_mut(index) else {
            return false;
        };
        let old = std::mem::replace(place, new);
        if let Some(Meaning { resolution, .. }) = old {
            self.release_paths(resolution.paths);
        }
        old != new
    }

    /// All sets.
    pub(super) fn all(&self) -> Vec<SetId> {
        self.sets.iter().map(|(id, _)| SetId(id)).collect()
    }

    /// The sets that `is` picks out.
    pub(super) fn marks(&self, is: impl Fn(&Surroundings, &NextHopSet) -> bool) -> SetMarks {
        let mut marks = SetMarks::default();
        for (id, set) in self.sets.iter() {
            if is(&self.around, set) {
                marks.mark(SetId(id));
            }
        }
        marks
    }
}

/// A selection of sets.
#[derive(Default)]
pub(super) struct SetMarks(Vec<bool>);

impl SetMarks {
    pub(super) fn mark(&mut self, id: SetId) {
        let index = id.0 as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, false);
        }
        if let Some(mark) = self.0.get_mut(index) {
            *mark = true;
        }
    }

    pub(super) fn has(&self, id: SetId) -> bool {
        self.0.get(id.0 as usize).copied().unwrap_or(false)
    }
}
