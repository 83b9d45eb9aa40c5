//! Routes of router advertisements (`RTPROT_RA`), which the kernel keeps apart.

use bgpreflector_core::route::{Family, Prefix, RTPROT_RA, Route, RouterPreference};
use bgpreflector_core::table::{DumpScope, InsertMode, Table};

use super::support::{MIRRORED, World, hop, route_by};

/// A default route through an interface.
fn default_route(protocol: u8, interface: u32, preference: RouterPreference) -> Route {
    let mut route = route_by(Prefix::v6(0, 0), [hop("fe80::1", interface)]);
    route.key.metric = 1024;
    route.protocol = protocol;
    route.set.preference = preference;
    route
}

fn advertised(interface: u32, preference: RouterPreference) -> Route {
    default_route(RTPROT_RA, interface, preference)
}

/// Protocol, interface and preference of the default routes, in their order.
fn order(table: &Table) -> Vec<(u8, u32, RouterPreference)> {
    let views = table.routes_of(254, &Prefix::v6(0, 0));
    let shown = views.iter().map(|view| {
        (
            view.protocol,
            view.next_hops[0].interface,
            view.set.preference,
        )
    });
    shown.collect()
}

/// An advertisement with another preference for a router that is known: the kernel changes its
/// route, and announces that as a replacement (`ndisc_router_discovery`).
#[test]
fn another_preference_replaces_the_advertisement_that_had_it() {
    use RouterPreference::{High, Low, Medium};
    let mut table = World::new().table;
    table.announce(default_route(MIRRORED, 3, Medium), InsertMode::Prepend);
    table.announce(advertised(1, Medium), InsertMode::Prepend);
    table.announce(advertised(2, Medium), InsertMode::Prepend);
    for (interface, preference) in [(2, Low), (1, High), (2, High)] {
        table.announce(advertised(interface, preference), InsertMode::Replace);
    }
    assert_eq!(
        order(&table),
        [
            (MIRRORED, 3, Medium),
            (RTPROT_RA, 1, High),
            (RTPROT_RA, 2, High)
        ]
    );
}

/// The same, unnoticed before a dump: the place is the dump's, whatever was known.
#[test]
fn a_dump_shows_the_place_of_a_route_that_it_replaces() {
    use RouterPreference::{High, Low};
    let mut table = World::new().table;
    for interface in [1, 2, 3] {
        table.announce(advertised(interface, Low), InsertMode::Prepend);
    }
    table.begin_resync(DumpScope::Everything);
    let shown = [advertised(2, High), advertised(3, High), advertised(1, Low)];
    for route in shown {
        table.announce(route, InsertMode::Dump);
    }
    table.end_resync(&Family::ALL);
    assert_eq!(
        order(&table),
        [
            (RTPROT_RA, 2, High),
            (RTPROT_RA, 3, High),
            (RTPROT_RA, 1, Low)
        ]
    );
}
