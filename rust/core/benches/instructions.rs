//! Instructions that the core executes, counted by callgrind: the count is the same at every run,
//! so a limit distinguishes a slower change from a busy machine.
//!
//! Limits are instructions per route, some 8 % above the count when they were set: compilers
//! differ. Raise one only if the cost is intended; lower one that is far above the count.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly"
)]

use std::hint::black_box;

use bgpreflector_core::route::Family;
use bgpreflector_core::table::{DumpScope, Request, Table};
use bgpreflector_core::vpp::{EncodedPaths, RouteEncoder};
use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};

mod support;

use support::routes;
use support::size::Size;
use support::{NextHops, acknowledge_all, begin_requests, dump, empty_table, encode_sets, resync};

/// Routes of IPv4; a fifth as many of IPv6.
const ROUTES: usize = 10_000;
const PLAIN: NextHops = NextHops::Inline(1);

/// A limit of so many instructions a route.
fn at_most(instructions: usize) -> LibraryBenchmarkConfig {
    let all = (instructions * Size::with_v4(ROUTES).all()) as u64;
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, all)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

fn buffers(next_hops: NextHops) -> Vec<Vec<u8>> {
    dump(&routes(Size::with_v4(ROUTES), next_hops))
}

fn empty(next_hops: NextHops) -> (Table, Vec<Vec<u8>>) {
    (empty_table(next_hops), buffers(next_hops))
}

fn dirty(next_hops: NextHops) -> (Table, Vec<Vec<u8>>) {
    let (mut table, buffers) = empty(next_hops);
    resync(&mut table, &buffers);
    (table, buffers)
}

fn clean(next_hops: NextHops) -> (Table, Vec<Vec<u8>>) {
    let (mut table, buffers) = dirty(next_hops);
    acknowledge_all(&mut table);
    (table, buffers)
}

fn requests(next_hops: NextHops) -> (Table, Vec<Request>) {
    let (mut table, _) = dirty(next_hops);
    let taken = table.take_dirty(usize::MAX);
    let requests = begin_requests(&mut table, &taken);
    (table, requests)
}

fn to_encode(next_hops: NextHops) -> (Vec<Request>, Vec<EncodedPaths>, Vec<u8>) {
    let (table, requests) = requests(next_hops);
    let sets = encode_sets(&table, &requests);
    let room = requests.len() * 1024;
    (requests, sets, Vec::with_capacity(room))
}

#[library_benchmark]
#[bench::plain(args = (PLAIN), setup = buffers, config = at_most(950))]
#[bench::ecmp4(args = (NextHops::Inline(4)), setup = buffers, config = at_most(2_010))]
fn decode(buffers: Vec<Vec<u8>>) -> usize {
    support::decode(&buffers)
}

#[library_benchmark]
#[bench::new(args = (PLAIN), setup = empty, config = at_most(960))]
#[bench::known(args = (PLAIN), setup = clean, config = at_most(645))]
fn decode_and_store((mut table, buffers): (Table, Vec<Vec<u8>>)) -> (Table, Vec<Vec<u8>>) {
    resync(&mut table, &buffers);
    (table, buffers)
}

#[library_benchmark]
#[bench::all(args = (PLAIN), setup = dirty, config = at_most(345))]
fn take_and_request((mut table, buffers): (Table, Vec<Vec<u8>>)) -> (Table, Vec<Vec<u8>>) {
    for handle in table.take_dirty(usize::MAX).handles {
        black_box(table.begin_request(handle));
    }
    (table, buffers)
}

#[library_benchmark]
#[bench::plain(args = (PLAIN), setup = to_encode, config = at_most(265))]
fn encode(
    (requests, sets, mut out): (Vec<Request>, Vec<EncodedPaths>, Vec<u8>),
) -> (Vec<Request>, Vec<EncodedPaths>, Vec<u8>) {
    let encoder = RouteEncoder::new(1234, 0, 20);
    for (context, request) in (0_u32..).zip(&requests) {
        let paths = sets.get(request.paths.index()).unwrap();
        encoder.replace(&mut out, context, request.vpp_table, &request.prefix, paths);
    }
    (requests, sets, out)
}

#[library_benchmark]
#[bench::all(args = (PLAIN), setup = requests, config = at_most(270))]
fn acknowledge((mut table, requests): (Table, Vec<Request>)) -> (Table, Vec<Request>) {
    for request in &requests {
        table.acknowledge(request, Ok(()));
    }
    (table, requests)
}

#[library_benchmark]
#[bench::all(args = (PLAIN), setup = clean, config = at_most(655))]
fn sweep((mut table, buffers): (Table, Vec<Vec<u8>>)) -> (Table, Vec<Vec<u8>>) {
    table.begin_resync(DumpScope::Everything);
    table.end_resync(&Family::ALL);
    (table, buffers)
}

library_benchmark_group!(
    name = core;
    benchmarks = decode, decode_and_store, take_and_request, encode, acknowledge, sweep
);

main!(library_benchmark_groups = core);
