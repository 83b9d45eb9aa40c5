//! Single situations that were once a bug or in doubt.

use bgpreflector_core::route::{Family, PathSet};
use bgpreflector_core::table::{DumpScope, InsertMode, Link, PathSetId, RouteState};

use super::support::{FOREIGN, MIRRORED, World, hop, link, name, prefix, route};

#[test]
fn a_prefix_that_flaps_while_vpp_is_busy_costs_one_request_or_none() {
    let mut world = World::new();
    for metric in 0..100_u8 {
        let hop = hop(&format!("192.0.2.{metric}"), 1);
        world
            .table
            .announce(route(1, 0, MIRRORED, &hop), InsertMode::Replace);
    }
    assert_eq!(world.table.dirty(), 1);
    world.taken = world.table.take_dirty(10).handles;
    world.begin(10);
    assert_eq!(world.in_flight.len(), 1);
    world.answer(10, false);

    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Replace,
    );
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.99", 1)),
        InsertMode::Replace,
    );
    assert!(world.table.take_dirty(10).handles.is_empty());
}

#[test]
fn a_prefix_that_comes_back_while_it_waits_waits_once() {
    let mut world = World::new();
    let only = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(only.clone(), InsertMode::Replace);
    world.table.withdraw(only.clone());
    world.table.announce(only, InsertMode::Replace);
    assert_eq!(world.table.dirty(), 1);
    world.sync();
    assert_eq!(world.vpp.len(), 1);
}

#[test]
fn a_change_under_way_is_followed_by_what_came_after_it() {
    let mut world = World::new();
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Replace,
    );
    world.taken = world.table.take_dirty(10).handles;
    world.begin(10);
    world
        .table
        .withdraw(route(1, 0, MIRRORED, &hop("192.0.2.1", 1)));
    assert_eq!(
        world.table.dirty(),
        0,
        "nothing is sent beside a request under way"
    );
    world.answer(10, false);
    assert_eq!(world.vpp.len(), 1);
    world.sync();
    assert!(world.vpp.is_empty());
}

#[test]
fn another_protocol_that_replaces_a_route_leaves_no_stale_route() {
    let mut world = World::new();
    world.table.announce(
        route(1, 32, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Replace,
    );
    world.sync();
    assert_eq!(world.vpp.len(), 1);
    world.table.announce(
        route(1, 32, FOREIGN, &hop("192.0.2.2", 1)),
        InsertMode::Replace,
    );
    world.sync();
    assert!(world.vpp.is_empty());
}

#[test]
fn a_link_that_goes_down_takes_its_v4_routes_along_without_a_message() {
    let mut world = World::new();
    let up = link(name(1), true);
    world.table.link(1, up.clone());
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Replace,
    );
    world.sync();
    let down = Link {
        up: false,
        ..up.clone()
    };
    assert_eq!(world.table.link(1, down), 1);
    world.sync();
    assert!(world.vpp.is_empty());
    world.table.link(1, up);
    world.sync();
    assert!(
        world.vpp.is_empty(),
        "the kernel does not bring them back by itself"
    );
}

#[test]
fn what_vpp_has_already_is_adopted_and_only_the_difference_sent() {
    let mut world = World::new();
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Replace,
    );
    world.sync();
    let paths = world.vpp[&prefix(1)].clone();

    let mut next = World::new();
    next.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Replace,
    );
    let equal = |wanted: &PathSet| *wanted == paths;
    assert!(next.table.adopt(0, &prefix(1), &paths, equal));
    assert!(next.table.adopt(0, &prefix(2), &paths, equal));
    assert!(
        !next.table.adopt(7, &prefix(1), &paths, equal),
        "table 7 is not ours"
    );
    assert!(
        next.table.take_dirty(10).handles.is_empty(),
        "what the kernel has not shown may yet come"
    );
    assert_eq!(next.table.counts(Family::V4).unconfirmed, 1);
    assert_eq!(next.table.confirm(&[Family::V6]), 0);
    assert_eq!(next.table.confirm(&[Family::V4]), 1);
    assert_eq!(next.table.counts(Family::V4).unconfirmed, 0);
    let taken = next.table.take_dirty(10);
    assert_eq!((taken.adds, taken.replaces, taken.deletes), (0, 0, 1));
    let request = next.table.begin_request(taken.handles[0]).unwrap();
    assert_eq!(
        (request.prefix, request.paths),
        (prefix(2), PathSetId::NONE)
    );
}

#[test]
fn a_refused_route_rests_until_it_is_retried() {
    let mut world = World::new();
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Replace,
    );
    for _ in 1..4 {
        world.taken = world.table.take_dirty(10).handles;
        world.begin(10);
        world.answer(10, true);
        assert_eq!(world.table.dirty(), 0);
        assert_eq!(world.table.counts(Family::V4).rejected, 1);
        assert_eq!(
            world.table.routes_of(254, &prefix(1))[0].state,
            RouteState::Rejected(-5)
        );
        assert_eq!(world.table.retry_rejected(|_| false), 0);
        assert_eq!(world.table.retry_rejected(|_| true), 1);
    }
    world.sync();
    let view = &world.table.routes_of(254, &prefix(1))[0];
    assert_eq!(view.state, RouteState::Installed);
}

#[test]
fn an_adopted_route_that_the_kernel_shows_late_is_never_touched() {
    let mut world = World::new();
    let route = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(route.clone(), InsertMode::Replace);
    world.sync();
    let paths = world.vpp[&prefix(1)].clone();

    let mut next = World::new();
    let equal = |wanted: &PathSet| *wanted == paths;
    assert!(next.table.adopt(0, &prefix(1), &paths, equal));
    next.table.begin_resync(DumpScope::Everything);
    next.table.end_resync(&[]);
    assert_eq!(next.table.dirty(), 0);
    next.table.announce(route, InsertMode::Dump);
    assert_eq!(next.table.counts(Family::V4).unconfirmed, 0);
    assert_eq!(next.table.confirm(&Family::ALL), 0);
    assert!(next.table.take_dirty(10).handles.is_empty());
}

#[test]
fn a_route_that_goes_is_deleted_though_nothing_is_confirmed_yet() {
    let mut world = World::new();
    let known = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(known.clone(), InsertMode::Replace);
    world.sync();
    let paths = world.vpp[&prefix(1)].clone();
    let equal = |wanted: &PathSet| *wanted == paths;
    assert!(world.table.adopt(0, &prefix(1), &paths, equal));
    assert_eq!(world.table.counts(Family::V4).unconfirmed, 0);
    world.table.withdraw(known);
    assert_eq!(world.table.take_dirty(10).deletes, 1);
}

#[test]
fn what_another_source_hides_is_deleted_unseen_unless_the_kernel_has_it() {
    let mut world = World::new();
    world.table.assume_shadowed(0, prefix(1));
    world.table.assume_shadowed(0, prefix(2));
    world.table.assume_shadowed(7, prefix(3));
    let wanted = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(wanted.clone(), InsertMode::Replace);
    assert!(world.table.awaits_confirmation());
    assert_eq!(world.table.confirm(&[Family::V6]), 0);
    assert!(world.table.awaits_confirmation());
    assert_eq!(world.table.confirm(&[Family::V4]), 0, "nobody knows of any");
    assert!(!world.table.awaits_confirmation());
    // A route withdrawn before it was sent may already be in VPP.
    world.table.withdraw(wanted);
    world.taken = world.table.take_dirty(10).handles;
    world.begin(10);
    let mut deleted: Vec<_> = world
        .in_flight
        .iter()
        .map(|r| (r.prefix, r.paths))
        .collect();
    deleted.sort_unstable_by_key(|(prefix, _)| *prefix);
    let none = PathSetId::NONE;
    assert_eq!(deleted, [(prefix(1), none), (prefix(2), none)]);
    world.answer(10, false);
    assert_eq!(world.table.counts(Family::V4).installed, 0);
    assert_eq!(world.table.sets(), (0, 0));
}
