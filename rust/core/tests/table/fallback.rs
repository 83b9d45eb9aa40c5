//! Substitutes for routes that VPP cannot have.

use std::collections::BTreeMap;

use super::support::{answer_all, link, route_by};
use bgpreflector_core::route::{
    Family, NextHop, NextHopSource, Path, PathSet, PathType, Prefix, Route, RouteType,
};
use bgpreflector_core::table::{
    Cursor, Fallback, InsertMode, Interfaces, Limit, LimitAction, RouteFilter, RouteState,
    RouteView, Scope, Substitute, Table,
};

const SUBSTITUTES: [(Fallback, PathType, Substitute); 2] = [
    (Fallback::Drop, PathType::Drop, Substitute::Drop),
    (Fallback::Punt, PathType::Local, Substitute::Punt),
];

fn interfaces(fallback: Fallback) -> Interfaces {
    Interfaces {
        map: [("a".to_owned(), 1)].into_iter().collect(),
        fallback,
        ..Interfaces::default()
    }
}

fn table_within(limit: Option<Limit>, fallback: Fallback) -> Table {
    let mut table = Table::new(Scope {
        tables: BTreeMap::from([(254, 0)]),
        limit,
        ..Scope::default()
    });
    for (index, name) in [(2, "a"), (3, "b")] {
        table.link(index, link(name, true));
    }
    table.set_interfaces(interfaces(fallback));
    table
}

fn table(fallback: Fallback) -> Table {
    table_within(None, fallback)
}

/// A route without next hops.
fn typed(number: u32, route_type: RouteType) -> Route {
    let mut typed = route(number, &[]);
    typed.set.route_type = route_type;
    typed
}

/// A route through interfaces: VPP can have that of 2, not that of 3.
fn route(number: u32, interfaces: &[u8]) -> Route {
    let hop = |last: &u8| NextHop::new(Some([10, 0, 0, *last].into()), u32::from(*last));
    route_by(Prefix::v4(number << 8, 24), interfaces.iter().map(hop))
}

fn views(table: &Table) -> Vec<RouteView> {
    table
        .routes(Cursor::default(), usize::MAX, &RouteFilter::default())
        .0
}

fn installed(view: &RouteView) -> Vec<(PathType, u32)> {
    let paths = view.installed.as_ref().map_or(&[][..], PathSet::paths);
    paths
        .iter()
        .map(|path| (path.path_type, path.sw_if_index))
        .collect()
}

fn count(table: &Table, substitute: Substitute) -> usize {
    let counts = table.substitutes();
    counts
        .iter()
        .filter(|(of, _)| *of == substitute)
        .map(|(_, n)| n)
        .sum()
}

#[test]
fn a_prefix_without_an_interface_is_what_was_chosen() {
    for (fallback, path_type, substitute) in SUBSTITUTES {
        let mut table = table(Fallback::Hold);
        table.announce(route(1, &[3]), InsertMode::Replace);
        assert_eq!(answer_all(&mut table), (0, 0));
        assert_eq!(views(&table)[0].substitute, None);
        table.set_interfaces(interfaces(fallback));
        assert_eq!(answer_all(&mut table), (1, 0));
        let counts = table.counts(Family::V4);
        assert_eq!(
            (
                counts.desired,
                counts.installed,
                counts.held,
                counts.substituted
            ),
            (1, 1, 1, 1)
        );
        assert_eq!(count(&table, substitute), 1);
        let [view] = &views(&table)[..] else {
            panic!("one route")
        };
        assert!(matches!(view.state, RouteState::Held(_)));
        assert_eq!(view.substitute, Some(substitute));
        assert_eq!(installed(view), [(path_type, Path::NO_INTERFACE)]);
        assert_eq!(table.held_routes().get("no_interface"), Some(&1));
        // And as it was.
        table.set_interfaces(interfaces(Fallback::Hold));
        assert_eq!(answer_all(&mut table), (0, 1));
        let counts = table.counts(Family::V4);
        assert_eq!(
            (counts.installed, counts.held, counts.substituted),
            (0, 1, 0)
        );
        assert_eq!(count(&table, substitute), 0);
    }
}

#[test]
fn the_next_hops_that_vpp_can_have_or_the_whole_prefix() {
    let mut table = table(Fallback::Drop);
    table.announce(route(1, &[2, 3]), InsertMode::Replace);
    answer_all(&mut table);
    assert_eq!(
        installed(&views(&table)[0]),
        [(PathType::Drop, Path::NO_INTERFACE)]
    );
    let skip_next_hops = true;
    for fallback in [Fallback::Drop, Fallback::Punt, Fallback::Hold] {
        table.set_interfaces(Interfaces {
            skip_next_hops,
            ..interfaces(fallback)
        });
        answer_all(&mut table);
        let [view] = &views(&table)[..] else {
            panic!("one route")
        };
        assert_eq!(installed(view), [(PathType::Normal, 1)]);
        assert!(matches!(view.state, RouteState::Held(_)));
        assert_eq!(view.substitute, Some(Substitute::NextHops));
        assert_eq!(count(&table, Substitute::NextHops), 1);
    }
    // Both have an interface: no next hop is omitted.
    let map = [("a".to_owned(), 1), ("b".to_owned(), 2)]
        .into_iter()
        .collect();
    table.set_interfaces(Interfaces {
        map,
        skip_next_hops,
        ..Interfaces::default()
    });
    answer_all(&mut table);
    assert_eq!(views(&table)[0].state, RouteState::Installed);
    assert_eq!(installed(&views(&table)[0]).len(), 2);
    assert_eq!(table.counts(Family::V4).held, 0);
}

#[test]
fn where_the_kernel_goes_on_to_a_shorter_prefix_vpp_does_too() {
    for (fallback, ..) in SUBSTITUTES {
        let mut table = table(fallback);
        let mut unusable = route(1, &[2]);
        if let NextHopSource::Inline(hops) = &mut unusable.set.next_hops {
            hops.iter_mut().for_each(|hop| hop.dead = true);
        }
        table.link(3, link("b", false));
        table.announce(unusable, InsertMode::Replace);
        table.announce(typed(2, RouteType::Other(9)), InsertMode::Replace);
        assert_eq!(answer_all(&mut table), (1, 0));
        let substitutes: Vec<_> = views(&table).iter().map(|view| view.substitute).collect();
        assert_eq!(substitutes[0], None);
        assert!(substitutes[1].is_some());
    }
}

#[test]
fn what_loses_its_interface_is_withheld_as_a_deletion_is() {
    for (fallback, ..) in SUBSTITUTES {
        let mut table = table(fallback);
        for number in 0..5 {
            table.announce(route(number, &[2]), InsertMode::Replace);
        }
        table.announce(route(9, &[3]), InsertMode::Replace);
        assert_eq!(answer_all(&mut table), (6, 0));
        table.withhold_deletions(Vec::new());
        table.set_interfaces(Interfaces {
            map: Default::default(),
            ..interfaces(fallback)
        });
        // A kernel route that drops is not a substitute: somebody configured it.
        table.announce(typed(0, RouteType::Blackhole), InsertMode::Replace);
        assert_eq!(answer_all(&mut table), (1, 0));
        let withheld = table.withheld_deletions();
        assert_eq!((withheld.total, withheld.held), (4, 4));
        table.release_deletions();
        assert_eq!(answer_all(&mut table), (4, 0));
    }
}

#[test]
fn what_an_earlier_run_left_is_known_again() {
    for (fallback, path_type, _) in SUBSTITUTES {
        let mut table = table(fallback);
        let paths = PathSet::new(vec![Path::new(path_type, Family::V4)]);
        assert!(table.adopt(0, &Prefix::v4(1 << 8, 24), &paths, |_| false));
        table.announce(route(1, &[3]), InsertMode::Dump);
        table.confirm(&Family::ALL);
        assert_eq!(answer_all(&mut table), (0, 0));
    }
}

#[test]
fn a_limit_counts_what_stands_in_for_routes() {
    let prefixes = 1;
    let limit = Limit {
        prefixes,
        action: LimitAction::Refuse,
    };
    let mut table = table_within(Some(limit), Fallback::Drop);
    table.announce(route(1, &[3]), InsertMode::Replace);
    table.announce(route(2, &[3]), InsertMode::Replace);
    assert_eq!(answer_all(&mut table), (1, 0));
    let counts = table.counts(Family::V4);
    assert_eq!(
        (counts.installed, counts.held, counts.substituted),
        (1, 2, 1)
    );
    assert_eq!(count(&table, Substitute::Drop), 1);
}
