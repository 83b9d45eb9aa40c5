//! The cost of a change for tables of several sizes: removed next-hop objects, and a query of held
//! routes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bgpreflector_core::netlink::RawMessages;
use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
};
use bgpreflector_core::table::{InsertMode, NextHopObject, Table};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

mod support;

use support::size::{Size, measures};
use support::{NextHops, dump, empty_table, hop, resync, routes};

/// Next-hop objects that go.
const OBJECTS: u32 = 10_000;
/// Notifications that one read takes at most (`kernel/socket.rs`).
const READ: usize = 64;
/// Ids that the table's own objects do not have.
const FIRST: u32 = 1 << 20;
/// An interface that VPP has no counterpart of.
const UNMAPPED: u32 = 99;

/// Sizes of the IPv4 table.
fn sizes() -> &'static [usize] {
    match measures() {
        true => &[10_000, 100_000, 1_000_000],
        false => &[1_000, 10_000],
    }
}

fn full(routes_v4: usize) -> Table {
    let buffers = dump(&routes(Size::with_v4(routes_v4), NextHops::Inline(1)));
    assert!(
        buffers
            .iter()
            .all(|b| RawMessages::new(b).all(|m| m.is_ok()))
    );
    let mut table = empty_table(NextHops::Inline(1));
    resync(&mut table, &buffers);
    table
}

/// A route of a prefix that the full table has not.
fn route(number: u32, next_hops: NextHopSource) -> Route {
    Route {
        key: RouteKey::new(254, Prefix::v4(0xf000_0000 | number << 8, 24)),
        protocol: 12,
        set: NextHopSet::new(Family::V4, RouteType::Unicast, next_hops),
    }
}

fn add(table: &mut Table, used: bool) {
    for number in 0..OBJECTS {
        let id = FIRST + number;
        table.next_hop(id, NextHopObject::Single(hop(Family::V4, 200)));
        if used {
            table.announce(route(number, NextHopSource::Object(id)), InsertMode::Append);
        }
    }
}

/// Removes the objects as the kernel reader does: before it walks over the table, it reads on for ten
/// times what the last walk took.
fn remove(table: &mut Table, last_walk: &mut Duration) -> usize {
    let ids: Vec<u32> = (FIRST..FIRST + OBJECTS).collect();
    let mut removed = 0;
    let mut reads = ids.chunks(READ).peekable();
    while reads.peek().is_some() {
        table.defer();
        let until = Instant::now() + 10 * *last_walk;
        for read in reads.by_ref() {
            for id in read {
                black_box(table.verify_next_hop(*id));
                table.remove_next_hop(*id);
            }
            if !table.has_deferred() || Instant::now() >= until {
                break;
            }
        }
        let began = Instant::now();
        removed += table.apply_deferred();
        *last_walk = began.elapsed();
    }
    removed
}

fn objects(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growth_of_removals");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(OBJECTS.into()));
    for size in sizes() {
        let mut table = full(*size);
        let mut last_walk = Duration::ZERO;
        for (kind, used) in [("unused", false), ("used", true)] {
            group.bench_function(BenchmarkId::new(kind, size), |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut taken = Duration::ZERO;
                    for _ in 0..iterations {
                        add(&mut table, used);
                        let began = Instant::now();
                        let removed = remove(&mut table, &mut last_walk);
                        taken += began.elapsed();
                        assert_eq!(removed, if used { OBJECTS as usize } else { 0 });
                    }
                    taken
                });
            });
        }
    }
    group.finish();
}

/// What a scrape of the metrics asks, where a thousand routes are held.
fn scrape(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growth_of_scrape");
    group.throughput(Throughput::Elements(1));
    for size in sizes() {
        let mut table = full(*size);
        let nowhere = NextHopSource::Inline([NextHop::new(None, UNMAPPED)].into_iter().collect());
        for number in 0..1_000 {
            table.announce(route(number, nowhere.clone()), InsertMode::Append);
        }
        group.bench_function(BenchmarkId::new("held_routes", size), |bencher| {
            bencher.iter(|| black_box(table.held_routes()).len());
        });
    }
    group.finish();
}

criterion_group!(benches, objects, scrape);
criterion_main!(benches);
