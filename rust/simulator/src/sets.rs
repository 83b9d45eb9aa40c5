//! Path sets, interned and looked up by the bytes of requests.

use std::borrow::Cow;
use std::sync::Arc;

use ahash::RandomState;
use bgpreflector_core::route::{PathSet, Prefix};
use bgpreflector_core::vpp::PathBytes;
use bgpreflector_core::vpp::bytes::Reader;
use bgpreflector_core::vpp::path::PATH_LENGTH;
use hashbrown::HashMap;

use crate::paths::ApiPath;

/// Id of a set.
pub(crate) type SetId = u32;

/// Paths in VPP's order, and their encoding.
pub(crate) struct Set {
    pub(crate) paths: Arc<[ApiPath]>,
    shown: Box<[u8]>,
    /// The number of routes that use it.
    routes: u32,
    /// Interfaces deleted while a route used the set.
    dead: Vec<u32>,
}

#[derive(Default)]
pub(crate) struct Sets {
    all: Vec<Set>,
    by_request: HashMap<Box<[u8]>, SetId, RandomState>,
    by_paths: HashMap<Arc<[ApiPath]>, SetId, RandomState>,
}

impl Set {
    /// The number of paths; VPP's counter is a byte too.
    pub(crate) fn count(&self) -> u8 {
        u8::try_from(self.paths.len()).unwrap_or(u8::MAX)
    }

    /// Whether packets to an interface are dropped, although an interface of that index may exist
    /// again. As in VPP (`fib_path_back_walk_notify`, `FIB_PATH_OPER_FLAG_DROP`) this lasts,
    /// invisibly, while any route has the set.
    pub(crate) fn is_dead(&self, sw_if_index: u32) -> bool {
        self.dead.contains(&sw_if_index)
    }

    /// The encoding of the set in a route for `prefix`.
    pub(crate) fn shown(&self, prefix: &Prefix) -> Cow<'_, [u8]> {
        if self
            .paths
            .iter()
            .all(|path| path.fixed_up(prefix).is_none())
        {
            return Cow::Borrowed(&self.shown);
        }
        let paths = self.paths.iter();
        Cow::Owned(encode(paths.map(|path| match path.fixed_up(prefix) {
            Some(fixed_up) => Cow::Owned(fixed_up),
            None => Cow::Borrowed(path),
        })))
    }

    /// The set as a [`PathSet`]; none if it has a path that a [`PathSet`] cannot hold.
    pub(crate) fn to_path_set(&self) -> Option<PathSet> {
        let mut reader = Reader::new("paths", &self.shown);
        PathBytes::read(&mut reader, self.count())
            .ok()?
            .to_set()
            .ok()
    }
}

fn encode<'a>(paths: impl Iterator<Item = Cow<'a, ApiPath>>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(paths.size_hint().0 * PATH_LENGTH);
    for path in paths {
        path.put(&mut bytes);
    }
    bytes
}

impl Sets {
    /// The set of a request's bytes, or VPP's return code if it refuses a path.
    pub(crate) fn of_request(&mut self, bytes: PathBytes<'_>) -> Result<SetId, i32> {
        let bytes = bytes.as_bytes();
        if let Some(id) = self.by_request.get(bytes) {
            return Ok(*id);
        }
        let paths: Result<Vec<_>, _> = bytes.chunks(PATH_LENGTH).map(ApiPath::decode).collect();
        let id = self.intern(paths?);
        self.by_request.insert(bytes.into(), id);
        Ok(id)
    }

    /// The set of these paths.
    pub(crate) fn intern(&mut self, mut paths: Vec<ApiPath>) -> SetId {
        paths.sort_by_key(|path| (path.preference, path.identity()));
        if let Some(id) = self.by_paths.get(paths.as_slice()) {
            return *id;
        }
        let id = SetId::try_from(self.all.len()).unwrap_or(SetId::MAX);
        let shown = encode(paths.iter().map(Cow::Borrowed)).into();
        let paths: Arc<[ApiPath]> = paths.into();
        self.by_paths.insert(Arc::clone(&paths), id);
        self.all.push(Set {
            paths,
            shown,
            routes: 0,
            dead: Vec::new(),
        });
        id
    }

    /// Adds a reference of a route to a set.
    pub(crate) fn retain(&mut self, id: SetId) {
        if let Some(set) = self.all.get_mut(id as usize) {
            set.routes = set.routes.saturating_add(1);
        }
    }

    /// Drops a reference. A set without references is created anew at its next use.
    pub(crate) fn release(&mut self, id: SetId) {
        if let Some(set) = self.all.get_mut(id as usize) {
            set.routes = set.routes.saturating_sub(1);
            if set.routes == 0 {
                set.dead.clear();
            }
        }
    }

    /// Marks the sets that use a deleted interface.
    pub(crate) fn interface_deleted(&mut self, sw_if_index: u32) {
        for set in self.all.iter_mut().filter(|set| set.routes > 0) {
            let concerned = set.paths.iter().any(|p| p.interface() == Some(sw_if_index));
            if concerned && !set.is_dead(sw_if_index) {
                set.dead.push(sw_if_index);
            }
        }
    }

    pub(crate) fn get(&self, id: SetId) -> Option<&Set> {
        self.all.get(id as usize)
    }
}
