//! Decoding what a route dump delivers: buffers of 32 KiB, as the kernel fills them, of routes as
//! a kernel wrote them (`tests/vectors/netlink`), each with a prefix of its own. Beside it
//! `netlink-packet-route`, which reads every attribute.
#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "../tests/netlink/support/captures.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod captures;
mod support;

use support::{decode, decode_by_netlink_packet_route};

const BUFFER: usize = 32 * 1024;
/// `struct nlmsghdr`, `struct rtmsg`, `RTA_TABLE`, the header of `RTA_DST`.
const ADDRESS: usize = 16 + 12 + 8 + 4;

/// What is dumped, and the capture whose first message is a route of that kind.
const KINDS: [(&str, &str); 3] = [
    ("ipv4", "v4 unicast: ipv4 routes"),
    ("ipv6", "v6 unicast: ipv6 routes"),
    ("ipv4_multipath", "v4 multipath with weights: ipv4 routes"),
];

/// A full buffer of one route with many prefixes, and how many they are.
fn buffer(capture: &str) -> (Vec<u8>, usize) {
    let captures = captures::load();
    let capture = captures.iter().find(|c| c.name == capture).unwrap();
    let length = u32::from_ne_bytes(capture.bytes[..4].try_into().unwrap());
    let message = &capture.bytes[..length as usize];
    let count = BUFFER / message.len();
    let mut buffer = message.repeat(count);
    for (number, message) in buffer.chunks_mut(message.len()).enumerate() {
        let number = u16::try_from(number).unwrap();
        message[ADDRESS + 1..ADDRESS + 3].copy_from_slice(&number.to_be_bytes());
    }
    (buffer, count)
}

fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (kind, capture) in KINDS {
        let (buffer, count) = buffer(capture);
        let buffers = [buffer];
        assert_eq!(decode(&buffers), count);
        assert_eq!(decode_by_netlink_packet_route(&buffers), count);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("ours", kind), |bencher| {
            bencher.iter(|| decode(&buffers));
        });
        let other = BenchmarkId::new("netlink-packet-route", kind);
        group.bench_function(other, |bencher| {
            bencher.iter(|| decode_by_netlink_packet_route(&buffers));
        });
    }
    group.finish();
}

criterion_group!(benches, decoding);
criterion_main!(benches);
