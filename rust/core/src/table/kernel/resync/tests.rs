use smallvec::smallvec;

use super::*;
use crate::route::{NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteType};
use crate::table::Scope;
use crate::table::kernel::resync_state::MAX_TOUCHED;

fn route(number: u32) -> Route {
    Route {
        key: RouteKey::new(254, Prefix::v4(number << 8, 24)),
        protocol: 12,
        set: NextHopSet::new(
            Family::V4,
            RouteType::Unicast,
            NextHopSource::Inline(smallvec![NextHop::new(None, 2)]),
        ),
    }
}

#[test]
fn prefixes_that_come_and_go_during_a_dump_are_kept_up_to_a_bound() {
    let mut table = Table::new(Scope::default());
    table.announce(route(0), InsertMode::Replace);
    table.begin_resync(DumpScope::Everything);
    for number in 1..1000 {
        table.announce(route(number), InsertMode::Replace);
        table.withdraw(route(number));
    }
    let kept = |table: &Table| table.resyncs.current.as_ref().map(|r| r.touched.len());
    assert_eq!(kept(&table), Some(MAX_TOUCHED));
    assert_eq!(table.uncertain_dump_routes(), 1, "the dump is done again");
    // A dump does not bring back a route that was withdrawn since.
    table.announce(route(999), InsertMode::Dump);
    table.announce(route(0), InsertMode::Dump);
    assert_eq!(table.counts(Family::V4).kernel, 1);
    // The next dump starts with an empty list.
    table.repeat_dump();
    table.announce(route(0), InsertMode::Dump);
    let swept = table.end_resync(&Family::ALL);
    assert_eq!((swept.removed, swept.uncertain), (0, 0));
    assert_eq!(table.counts(Family::V4).kernel, 1);
}
