//! How long it takes that many next-hop objects go beside a full table. To be run by hand:
//! `cargo test -p bgpreflector-core --test table_removals -- --ignored --nocapture`.

#![allow(missing_docs, reason = "a test")]

use std::time::Instant;

use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
    RouterPreference,
};
use bgpreflector_core::table::{Interfaces, NextHopObject, Placement, Scope, Table, Unmapped};

const OBJECTS: u32 = 10_000;
const OTHERS: u32 = 200_000;

fn route(number: u32, next_hops: NextHopSource) -> Route {
    Route {
        key: RouteKey {
            table: 254,
            prefix: Prefix::v4(number << 8, 24),
            tos: 0,
            metric: 0,
        },
        protocol: 12,
        set: NextHopSet {
            family: Family::V4,
            route_type: RouteType::Unicast,
            next_hops,
            preference: RouterPreference::default(),
            digest: 0,
        },
    }
}

fn full() -> Table {
    let mut table = Table::new(Scope::default());
    table.set_interfaces(Interfaces {
        unmapped: Unmapped::Interface(1),
        ..Interfaces::default()
    });
    for number in 0..OTHERS {
        let hop = NextHop::new(None, 2 + number % 100);
        let inline = NextHopSource::Inline([hop].into_iter().collect());
        table.announce(route(number, inline), Placement::Append);
    }
    for id in 1..=OBJECTS {
        table.next_hop(id, NextHopObject::Single(NextHop::new(None, 2)));
        let by_object = NextHopSource::Object(id);
        table.announce(route(OTHERS + id, by_object), Placement::Append);
    }
    table
}

#[test]
#[ignore = "it measures"]
fn objects_go_beside_a_full_table() {
    for together in [1, 64, 512] {
        let mut table = full();
        let ids: Vec<u32> = (1..=OBJECTS).collect();
        let began = Instant::now();
        let mut removed = 0;
        for buffer in ids.chunks(together) {
            table.defer();
            for id in buffer {
                table.remove_next_hop(*id);
            }
            removed += table.settle();
        }
        assert_eq!(removed, OBJECTS as usize);
        println!(
            "{OBJECTS} objects removed beside {OTHERS} routes, {together} a walk: {:?}",
            began.elapsed()
        );
    }
}
