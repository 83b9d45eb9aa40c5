//! The canonical form of paths, the same for the request that adds a route and for the
//! dump that shows it.
//!
//! VPP's dump differs from the request that it answers (`fib_path_encode` in `fib_path.c`,
//! `fib_api_path_encode` in `fib_api.c`):
//!
//! | field | request | dump |
//! | --- | --- | --- |
//! | `rpf_id` | all ones | 0 |
//! | `nh.via_label`, `nh.classify_table_index` | with a next hop `MPLS_LABEL_INVALID`, all ones | 0 |
//! | `flags`, `is_uniform` of a label | as sent | 0 |
//! | `weight` | 0 is allowed | 1 instead |
//! | `table_id` of a path with an interface | as sent | 0 |
//! | `sw_if_index`, next hop, table of a drop, ICMP or local path | as sent | none |
//! | order of the paths | as sent | VPP's own |
//!
//! The first three have no place in a [`Path`]; [`canonical_path`] takes care of the next three
//! and [`PathSet`] of the order. Two more differences depend on the prefix
//! (`fib_table_route_path_fixup` in `fib_table.c`): see [`installed_paths`].

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::route::{Path, PathSet, PathType, Prefix};

/// `path` with every field cleared that VPP ignores.
#[must_use]
pub fn canonical_path(mut path: Path) -> Path {
    path.weight = path.weight.max(1);
    if path.path_type != PathType::Normal {
        path.next_hop = None;
        path.sw_if_index = Path::NO_INTERFACE;
        path.table = 0;
        path.labels = SmallVec::new();
        return path;
    }
    path.next_hop = path.next_hop.filter(|address| !address.is_unspecified());
    if path.sw_if_index != Path::NO_INTERFACE {
        path.table = 0;
    }
    path
}

/// The paths that a dump shows after `paths` were added for `prefix`, in canonical form. A route is
/// as desired if the paths of its `ip_route_v2_details` equal this.
///
/// In addition to [`canonical_path`], VPP drops paths that resolve through the route itself (a next
/// hop without an interface that equals the prefix's address), and resolves a host route through a
/// device only by its own address: the canonical form of both encodings of the latter has no next
/// hop.
#[must_use]
pub fn installed_paths<'a>(prefix: &Prefix, paths: &'a PathSet) -> Cow<'a, PathSet> {
    let changes = |path: &Path| installed_path(prefix, path.clone()) != *path;
    if !paths.paths().iter().any(changes) {
        return Cow::Borrowed(paths);
    }
    let installed = |path: &Path| installed_path(prefix, path.clone());
    Cow::Owned(PathSet::new(paths.paths().iter().map(installed).collect()))
}

/// What a dump shows of one path of `prefix`, in canonical form: see [`installed_paths`].
#[must_use]
pub fn installed_path(prefix: &Prefix, path: Path) -> Path {
    let mut path = canonical_path(path);
    if path.next_hop != Some(prefix.address()) {
        return path;
    }
    if path.sw_if_index == Path::NO_INTERFACE {
        path.path_type = PathType::Drop;
        return canonical_path(path);
    }
    if prefix.length() == prefix.family().bits() {
        path.next_hop = None;
    }
    path
}
