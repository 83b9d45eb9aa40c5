//! What becomes of a full table: taken as requests, encoded, acknowledged, swept, and moved to
//! other next hops. Each on a table of the benchmark's size, so results are for all its routes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly"
)]

use std::time::Duration;

use bgpreflector_core::route::Family;
use bgpreflector_core::table::{DirtyBatch, DumpScope, NextHopObject, Request, Table};
use bgpreflector_core::vpp::{EncodedPaths, RouteEncoder};
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
};

mod support;

use support::size::Size;
use support::{
    NextHops, SETS, acknowledge_all, begin_requests, dump, empty_table, encode_sets, hop,
    interfaces, object, resync, routes,
};

/// A table with everything dirty, or everything acknowledged.
struct Filled {
    next_hops: NextHops,
    buffers: Vec<Vec<u8>>,
    count: usize,
}

impl Filled {
    fn new(next_hops: NextHops) -> Self {
        let routes = routes(Size::target(), next_hops);
        Self {
            next_hops,
            buffers: dump(&routes),
            count: routes.len(),
        }
    }

    fn dirty(&self) -> Table {
        let mut table = empty_table(self.next_hops);
        resync(&mut table, &self.buffers);
        assert_eq!(table.dirty(), self.count);
        table
    }

    fn clean(&self) -> Table {
        let mut table = self.dirty();
        assert_eq!(acknowledge_all(&mut table), self.count);
        assert_eq!(table.dirty(), 0);
        table
    }

    fn taken(&self) -> (Table, DirtyBatch) {
        let mut table = self.dirty();
        let taken = table.take_dirty(usize::MAX);
        (table, taken)
    }
}

fn group<'a>(criterion: &'a mut Criterion, name: &str, all: usize) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    group.throughput(Throughput::Elements(all as u64));
    group
}

/// Writes every request; the paths' bytes are made once a set, as the bulk connection does.
fn encode(requests: &[Request], sets: &[EncodedPaths], out: &mut Vec<u8>) {
    const ROOM: usize = 256 * 1024;
    let encoder = RouteEncoder::new(1234, 0, 20);
    for (context, request) in (0_u32..).zip(requests) {
        if out.len() > ROOM {
            out.clear();
        }
        let paths = sets.get(request.paths.index()).unwrap();
        encoder.replace(out, context, request.vpp_table, &request.prefix, paths);
    }
}

fn diff(criterion: &mut Criterion) {
    let filled = Filled::new(NextHops::Inline(1));
    let mut group = group(criterion, "diff", filled.count);
    group.bench_function("take", |bencher| {
        let take = |table: &mut Table| table.take_dirty(usize::MAX);
        bencher.iter_batched_ref(|| filled.dirty(), take, BatchSize::PerIteration);
    });
    group.bench_function("request", |bencher| {
        let ask = |(table, taken): &mut (Table, DirtyBatch)| begin_requests(table, taken);
        bencher.iter_batched_ref(|| filled.taken(), ask, BatchSize::PerIteration);
    });
    group.bench_function("acknowledge", |bencher| {
        let asked = || {
            let (mut table, taken) = filled.taken();
            let requests = begin_requests(&mut table, &taken);
            (table, requests)
        };
        let acknowledge = |(table, requests): &mut (Table, Vec<Request>)| {
            for request in requests {
                table.acknowledge(request, Ok(()));
            }
        };
        bencher.iter_batched_ref(asked, acknowledge, BatchSize::PerIteration);
    });
    group.finish();
}

fn encoding(criterion: &mut Criterion) {
    for (kind, next_hops) in [("plain", 1), ("ecmp4", 4)] {
        let filled = Filled::new(NextHops::Inline(next_hops));
        let (mut table, taken) = filled.taken();
        let requests = begin_requests(&mut table, &taken);
        let sets = encode_sets(&table, &requests);
        let mut group = group(criterion, "encode", filled.count);
        let mut out = Vec::with_capacity(512 * 1024);
        group.bench_function(kind, |bencher| {
            bencher.iter(|| encode(&requests, &sets, &mut out))
        });
        group.finish();
    }
}

/// A resync that sees nothing and removes everything.
fn sweep(criterion: &mut Criterion) {
    let filled = Filled::new(NextHops::Inline(1));
    let mut group = group(criterion, "sweep", filled.count);
    group.bench_function("all", |bencher| {
        let sweep = |table: &mut Table| {
            table.begin_resync(DumpScope::Everything);
            table.end_resync(&Family::ALL)
        };
        bencher.iter_batched_ref(|| filled.clean(), sweep, BatchSize::PerIteration);
    });
    group.finish();
}

/// Next hops move without a message about the routes: one next-hop object of the many, and the
/// interface that all of them go through.
fn next_hop_change(criterion: &mut Criterion) {
    let filled = Filled::new(NextHops::Objects);
    let mut table = filled.clean();
    let mut group = group(criterion, "next_hop_change", filled.count);
    let mut host = 0;
    group.bench_function("one_of_64_sets", |bencher| {
        bencher.iter(|| {
            // What is dirty already stays so, and has other paths each time.
            host = (host + 1) % 2;
            let single = NextHopObject::Single(hop(Family::V4, 200 + host));
            table.next_hop(object(Family::V4, 0), single);
            let dirty = table.dirty();
            assert!(dirty > 0 && dirty < filled.count / usize::from(SETS) * 2);
        });
    });
    group.bench_function("all_sets", |bencher| {
        let move_all = |table: &mut Table| table.set_interfaces(interfaces(2));
        bencher.iter_batched_ref(|| filled.clean(), move_all, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, diff, encoding, sweep, next_hop_change);
criterion_main!(benches);
