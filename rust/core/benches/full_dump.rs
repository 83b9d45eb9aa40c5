//! A whole dump of a full table, from bytes in memory: decoding alone, here and by
//! `netlink-packet-route`; decoding and storing; comparing with a table that has it all already;
//! and what a route costs as the table grows.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly"
)]

use std::time::Duration;

use bgpreflector_core::table::Table;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use criterion::{criterion_group, criterion_main};

mod support;

use support::memory::keep;
use support::size::{Size, measures};
use support::{NextHops, acknowledge_all, decode, decode_by_netlink_packet_route, dump};
use support::{empty_table, resync, routes};

const KINDS: [(&str, NextHops); 2] = [
    ("plain", NextHops::Inline(1)),
    ("ecmp4", NextHops::Inline(4)),
];

fn stored(next_hops: NextHops, buffers: &[Vec<u8>]) -> Table {
    let mut table = empty_table(next_hops);
    resync(&mut table, buffers);
    table
}

/// Storing into a new table, next to decoding alone.
fn store_beside_other(
    group: &mut BenchmarkGroup<'_, WallTime>,
    next_hops: NextHops,
    buffers: &[Vec<u8>],
) {
    group.bench_function("decode_by_netlink_packet_route", |bencher| {
        bencher.iter(|| decode_by_netlink_packet_route(buffers));
    });
    group.bench_function("decode_and_store", |bencher| {
        // The table's own end is not counted.
        let store = |table: &mut Table| resync(table, buffers);
        bencher.iter_batched_ref(|| empty_table(next_hops), store, BatchSize::PerIteration);
    });
}

fn full_dump(criterion: &mut Criterion) {
    let size = Size::target();
    for (kind, next_hops) in KINDS {
        let buffers = dump(&routes(size, next_hops));
        let mut group = criterion.benchmark_group(format!("full_dump_{kind}"));
        group.throughput(Throughput::Elements(size.all() as u64));
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(8));
        group.bench_function("decode", |bencher| bencher.iter(|| decode(&buffers)));
        store_beside_other(&mut group, next_hops, &buffers);
        group.bench_function("decode_and_compare", |bencher| {
            let mut table = stored(next_hops, &buffers);
            assert_eq!(acknowledge_all(&mut table), size.all());
            bencher.iter(|| assert_eq!(resync(&mut table, &buffers).removed, 0));
            assert_eq!(table.dirty(), 0);
        });
        group.finish();
    }
}

/// From ten thousand to four times the size asked for.
fn growth(criterion: &mut Criterion) {
    let largest = 4 * Size::target().v4;
    let mut group = criterion.benchmark_group("growth");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    let sizes = [10_000, 100_000, 1_000_000, 4_000_000];
    let sizes = sizes.into_iter().filter(|v4| *v4 <= largest && measures());
    for v4 in sizes.chain((!measures()).then_some(largest)) {
        let size = Size { v4, v6: 0 };
        let next_hops = NextHops::Inline(1);
        let buffers = dump(&routes(size, next_hops));
        group.throughput(Throughput::Elements(size.all() as u64));
        group.bench_function(BenchmarkId::new("decode_and_store", v4), |bencher| {
            let store = |table: &mut Table| resync(table, &buffers);
            bencher.iter_batched_ref(|| empty_table(next_hops), store, BatchSize::PerIteration);
        });
        group.bench_function(BenchmarkId::new("decode_and_compare", v4), |bencher| {
            let mut table = stored(next_hops, &buffers);
            acknowledge_all(&mut table);
            bencher.iter(|| resync(&mut table, &buffers));
        });
    }
    group.finish();
}

/// A new table in memory that the process has already. The last one, for it remains so.
fn memory_at_hand(criterion: &mut Criterion) {
    if !keep() {
        return;
    }
    let (size, next_hops) = (Size::target(), NextHops::Inline(1));
    let buffers = dump(&routes(size, next_hops));
    let mut group = criterion.benchmark_group("full_dump_memory_at_hand");
    group
        .throughput(Throughput::Elements(size.all() as u64))
        .sample_size(10)
        .measurement_time(Duration::from_secs(8));
    store_beside_other(&mut group, next_hops, &buffers);
    group.finish();
}

criterion_group!(benches, full_dump, growth, memory_at_hand);
criterion_main!(benches);
