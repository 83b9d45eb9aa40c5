//! Any value is written and read again; any bytes are read or refused, never worse.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgpreflector_core::route::{Family, Path, PathSet, PathType, Prefix};
use bgpreflector_core::vpp::bytes::Reader;
use bgpreflector_core::vpp::canonical::{canonical_path, installed_paths};
use bgpreflector_core::vpp::path::{PATH_LENGTH, decode_path, encode_path};
use bgpreflector_core::vpp::route::{RouteAddDel, decode_route_add_del, decode_route_add_del_v2};
use bgpreflector_core::vpp::route_dump::dumped_paths;
use bgpreflector_core::vpp::{EncodedPaths, IpRoute, PathBytes, RouteEncoder};
use proptest::prelude::*;

use crate::fuzz::frames::read;

fn path_type() -> impl Strategy<Value = PathType> {
    prop_oneof![
        6 => Just(PathType::Normal),
        1 => Just(PathType::Drop),
        1 => Just(PathType::IcmpUnreach),
        1 => Just(PathType::IcmpProhibit),
    ]
}

/// Few addresses, to include the unspecified one and a prefix's own.
fn address(family: Family) -> BoxedStrategy<IpAddr> {
    match family {
        Family::V4 => (0u32..4)
            .prop_map(|a| Ipv4Addr::from(a << 24).into())
            .boxed(),
        Family::V6 => prop_oneof![0u128..4, any::<u128>()]
            .prop_map(|a| Ipv6Addr::from(a).into())
            .boxed(),
    }
}

fn family() -> impl Strategy<Value = Family> {
    prop::sample::select(Family::ALL.to_vec())
}

fn path() -> impl Strategy<Value = Path> {
    let next_hop = family()
        .prop_flat_map(|family| (Just(family), prop::option::weighted(0.8, address(family))));
    let sw_if_index = prop_oneof![Just(Path::NO_INTERFACE), 0u32..3, any::<u32>()];
    let labels = prop::collection::vec(0u32..1 << 20, 0..=Path::MAX_LABELS);
    (
        path_type(),
        next_hop,
        sw_if_index,
        0u32..3,
        any::<u8>(),
        any::<u8>(),
        labels,
    )
        .prop_map(
            |(path_type, (family, next_hop), sw_if_index, table, weight, preference, labels)| {
                Path {
                    path_type,
                    family,
                    next_hop,
                    sw_if_index,
                    table,
                    weight,
                    preference,
                    labels: labels.into(),
                }
            },
        )
}

fn set() -> impl Strategy<Value = PathSet> {
    prop::collection::vec(path(), 0..8).prop_map(PathSet::new)
}

fn prefix() -> impl Strategy<Value = Prefix> {
    family()
        .prop_flat_map(|family| (address(family), 0..=family.bits()))
        .prop_map(|(address, length)| Prefix::new(address, length).unwrap())
}

proptest! {
    #[test]
    fn a_path_comes_back_in_canonical_form(path in path()) {
        let mut bytes = Vec::new();
        encode_path(&path, &mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), PATH_LENGTH);
        let decoded = decode_path(&bytes).unwrap();
        prop_assert_eq!(&decoded, &canonical_path(path.clone()));
        prop_assert_eq!(&canonical_path(decoded.clone()), &decoded);
    }

    #[test]
    fn a_route_comes_back(set in set(), prefix in prefix(), table: u32, context: u32, source: u8) {
        let paths = EncodedPaths::new(&set).unwrap();
        let canonical = PathSet::new(set.paths().iter().cloned().map(canonical_path).collect());
        let mut out = Vec::new();
        RouteEncoder::new(400, 7, source).replace(&mut out, context, table, &prefix, &paths);
        let v2 = decode_route_add_del_v2(&out[16..]).unwrap();
        prop_assert_eq!(v2.route.paths, paths.view());
        prop_assert_eq!(v2.route.paths.to_set().unwrap(), canonical);
        prop_assert_eq!((v2.client_index, v2.context, v2.is_add), (7, context, true));
        prop_assert_eq!((v2.route.table, v2.route.prefix), (table, prefix));
        prop_assert_eq!(v2.route.source, Some(source));

        let mut out = Vec::new();
        let v1 = RouteAddDel { route: IpRoute { source: None, ..v2.route }, ..v2 };
        v1.encode(399, &mut out);
        prop_assert_eq!(decode_route_add_del(&out[16..]).unwrap(), v1);

        let mut out = Vec::new();
        RouteEncoder::new(400, 7, source).delete(&mut out, context, table, &prefix);
        let deletion = decode_route_add_del_v2(&out[16..]).unwrap();
        prop_assert_eq!((deletion.is_add, deletion.route.paths.count()), (false, 0));
        prop_assert_eq!(deletion.route.prefix, prefix);
    }

    #[test]
    fn a_dumped_route_equals_the_one_added(set in set(), prefix in prefix()) {
        let paths = vpp_model::dump(&prefix, &set);
        let mut bytes = Vec::new();
        for path in &paths {
            encode_path(path, &mut bytes).unwrap();
        }
        let mut reader = Reader::new("details", &bytes);
        let paths = PathBytes::read(&mut reader, paths.len().try_into().unwrap()).unwrap();
        let dumped = dumped_paths(&prefix, paths).unwrap();
        prop_assert_eq!(&dumped, &*installed_paths(&prefix, &set));
        prop_assert_eq!(&*installed_paths(&prefix, &dumped), &dumped);
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }

    #[test]
    fn damaged_messages_are_read_or_refused(
        file in prop::sample::select(vec!["routes", "dumps"]),
        place: prop::sample::Index,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        keep: prop::sample::Index,
    ) {
        let recorded = super::vectors::load(file);
        let mut message = place.get(&recorded).message().to_vec();
        for (at, byte) in damage {
            *at.get_mut(&mut message) = byte;
        }
        read(&message);
        message.truncate(keep.index(message.len()));
        read(&message);
    }

    #[test]
    fn a_truncated_route_is_refused(set in set(), prefix in prefix(), cut: prop::sample::Index) {
        let paths = EncodedPaths::new(&set).unwrap();
        let mut out = Vec::new();
        RouteEncoder::new(400, 7, 1).replace(&mut out, 1, 0, &prefix, &paths);
        let message = &out[16..];
        prop_assert!(decode_route_add_del_v2(&message[..cut.index(message.len())]).is_err());
        out.push(0);
        prop_assert!(decode_route_add_del_v2(&out[16..]).is_err());
    }
}

mod vpp_model {
    //! What VPP does to a route's paths between request and dump, modelled the other way round from
    //! the code under test: by what is stored for each type of path.

    use super::{Path, PathSet, PathType, Prefix};

    pub fn dump(prefix: &Prefix, set: &PathSet) -> Vec<Path> {
        set.paths()
            .iter()
            .rev()
            .map(|path| dump_path(prefix, path))
            .collect()
    }

    fn dump_path(prefix: &Prefix, path: &Path) -> Path {
        let attached = path.sw_if_index != Path::NO_INTERFACE;
        let next_hop = path.next_hop.filter(|address| !address.is_unspecified());
        let host = prefix.length() == prefix.family().bits();
        let itself = next_hop.is_some() && next_hop == Some(prefix.address());
        let stored = Path {
            weight: if path.weight == 0 { 1 } else { path.weight },
            ..path.clone()
        };
        if path.path_type != PathType::Normal {
            return dropped(path.path_type, stored);
        }
        match (attached, next_hop) {
            (false, Some(_)) if itself => dropped(PathType::Drop, stored),
            (false, next_hop) => Path { next_hop, ..stored },
            // Our device-only paths always have the route's family.
            (true, None) if host && path.family == prefix.family() => Path {
                next_hop: Some(prefix.address()),
                table: 0,
                ..stored
            },
            (true, next_hop) => Path {
                next_hop,
                table: 0,
                ..stored
            },
        }
    }

    fn dropped(path_type: PathType, stored: Path) -> Path {
        Path {
            path_type,
            next_hop: None,
            sw_if_index: Path::NO_INTERFACE,
            table: 0,
            labels: Default::default(),
            ..stored
        }
    }
}
