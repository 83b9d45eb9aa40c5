use std::collections::BTreeMap;

use super::*;
use crate::table::store::ids::SetId;

fn route(metric: u32) -> KernelRoute {
    KernelRoute {
        metric,
        set: SetId(metric),
        tos: 0,
        protocol: 12,
        generation: 0,
        expired: false,
    }
}

#[test]
fn slots_are_reused_but_never_shared() {
    let mut rib = Rib::<u32>::new();
    let a = rib.find_or_insert(1, 32);
    let b = rib.find_or_insert(1, 31);
    assert_ne!(a, b);
    assert_eq!(rib.find_or_insert(1, 32), a);
    rib.remove(a);
    assert_eq!(rib.find(1, 32), None);
    assert!(rib.get(a).is_none());
    assert_eq!(rib.find_or_insert(2, 32), a);
    assert_eq!(rib.slots(), 2);
}

/// Prefixes in every order: what a dump shows, what comes between, what goes again.
#[test]
fn every_prefix_is_found_in_its_slot() {
    let (mut rib, mut model) = (Rib::<u32>::new(), BTreeMap::new());
    let mut random = 1_u64;
    let mut below = |end: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((random >> 33) % end).unwrap()
    };
    let mut next = 0;
    let mut pending = 0;
    for step in 0..20_000 {
        let length = u8::try_from(24 + below(4)).unwrap();
        match below(100) {
            // In order, several of an address among them.
            0..90 => {
                next += below(2);
                let slot = rib.find_or_insert(next, length);
                assert_eq!(*model.entry((next, length)).or_insert(slot), slot);
            }
            90..95 => {
                let address = below(u64::from(next) + 3);
                next = next.max(address);
                let slot = rib.find_or_insert(address, length);
                assert_eq!(*model.entry((address, length)).or_insert(slot), slot);
            }
            95..97 => {
                let at = (below(u64::from(next) + 1), length);
                assert_eq!(rib.find(at.0, at.1), model.get(&at).copied());
                if let Some(slot) = model.remove(&at) {
                    rib.remove(slot);
                }
            }
            _ => {
                let at = (below(u64::from(next) + 1), length);
                assert_eq!(rib.find(at.0, at.1), model.get(&at).copied());
            }
        }
        pending = pending.max(rib.entries.len() - rib.indexed);
        if step % 1000 == 0 {
            for ((address, length), slot) in &model {
                assert_eq!(rib.find(*address, *length), Some(*slot));
            }
            rib.index_all();
            assert_eq!(rib.index.len(), model.len());
        }
    }
    assert!(pending > 20, "{pending}");
}

#[test]
fn a_single_best_route_needs_no_overflow() {
    let mut rib = Rib::<u32>::new();
    let slot = rib.find_or_insert(1, 32);
    rib.set_routes(
        slot,
        [route(1), route(2)].into_iter().collect(),
        Some(route(1)),
    );
    assert_eq!(rib.routes(slot).len(), 2);
    assert_eq!(rib.more.len(), 1);
    rib.set_routes(slot, [route(2)].into_iter().collect(), Some(route(2)));
    assert_eq!(rib.routes(slot).as_slice(), [route(2)]);
    assert!(rib.more.is_empty());
}

#[test]
fn a_route_that_is_never_best_is_kept() {
    let mut rib = Rib::<u32>::new();
    let slot = rib.find_or_insert(1, 32);
    rib.set_routes(slot, [route(1)].into_iter().collect(), None);
    assert_eq!(rib.routes(slot).as_slice(), [route(1)]);
}
