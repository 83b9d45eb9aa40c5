//! What each next-hop set means for VPP now.

use crate::route::{NextHopSet, PathSet, SetBytes};

use super::held::Held;
use super::ids::{PathSetId, SetId};
use super::interner::Interner;
use super::recollection::Recollection;
use super::resolve::Surroundings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meaning {
    resolution: Result<PathSetId, Held>,
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
}

impl<T: Eq + std::hash::Hash> Default for Interner<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Meanings {
    /// The set's number; it gains one reference.
    pub(super) fn acquire(&mut self, set: NextHopSet) -> SetId {
        let id = self.sets.acquire(set);
        if self.meaning(SetId(id)).is_none() {
            self.update(SetId(id));
        }
        SetId(id)
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

    pub(super) fn release(&mut self, id: SetId) {
        if !self.sets.release(id.0) {
            return;
        }
        let meaning = self.meanings.get_mut(id.0 as usize).and_then(Option::take);
        if let Some(Meaning {
            resolution: Ok(paths),
            ..
        }) = meaning
        {
            self.release_paths(paths);
        }
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

    /// The paths that VPP shall have for the set, or why it can have none.
    pub(super) fn resolution(&self, id: SetId) -> Result<PathSetId, Held> {
        self.meaning(id)
            .map_or(Err(Held::NoUsableNextHop), |meaning| meaning.resolution)
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
        let resolution = self.around.resolve(set);
        let resolution = resolution.map(|paths| PathSetId(self.path_sets.acquire(paths)));
        let index = id.0 as usize;
        if self.meanings.len() <= index {
            self.meanings.resize(index + 1, None);
        }
        let new = Some(Meaning { resolution, usable });
        let Some(place) = self.meanings.get_mut(index) else {
            return false;
        };
        let old = std::mem::replace(place, new);
        if let Some(Meaning {
            resolution: Ok(paths),
            ..
        }) = old
        {
            self.release_paths(paths);
        }
        old != new
    }

    /// Works the meanings of the sets that `concerns` picks out again; returns those that changed.
    pub(super) fn update_all(
        &mut self,
        concerns: impl Fn(&Surroundings, &NextHopSet) -> bool,
    ) -> SetMarks {
        let around = &self.around;
        let picked = self.sets.iter().filter(|(_, set)| concerns(around, set));
        let picked: Vec<SetId> = picked.map(|(id, _)| SetId(id)).collect();
        let mut changed = SetMarks::default();
        for id in picked {
            if self.update(id) {
                changed.mark(id);
            }
        }
        changed
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
    fn mark(&mut self, id: SetId) {
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

    pub(super) fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| *a && *b).collect())
    }
}
