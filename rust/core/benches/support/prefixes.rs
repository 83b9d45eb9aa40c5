//! Prefixes as the internet's table has them: their lengths, and several within one allocation.
//! Always the same for a count.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use bgpreflector_core::route::Prefix;
use oorandom::Rand64;

/// Prefixes of 10,000 by length, as the IPv4 table of the internet has them.
const V4_LENGTHS: [(u8, u32); 14] = [
    (24, 6000),
    (23, 1000),
    (22, 1110),
    (21, 530),
    (20, 460),
    (19, 280),
    (18, 150),
    (17, 90),
    (16, 140),
    (15, 25),
    (14, 15),
    (13, 8),
    (12, 3),
    (11, 1),
];
/// The same of IPv6.
const V6_LENGTHS: [(u8, u32); 12] = [
    (48, 4900),
    (47, 250),
    (46, 300),
    (45, 150),
    (44, 950),
    (42, 250),
    (40, 900),
    (36, 600),
    (34, 150),
    (33, 200),
    (32, 1100),
    (29, 250),
];
/// First /12 of each registry's IPv6 space.
const REGISTRIES: [u128; 5] = [0x240, 0x260, 0x280, 0x2a0, 0x2c0];
/// Routes in one allocation, on average.
const V4_SIBLINGS: usize = 20;
const V6_SIBLINGS: usize = 5;
/// First octets of private, shared, loopback and link-local space.
const RESERVED: [u32; 6] = [10, 100, 127, 169, 172, 192];

/// IPv4 prefixes, in the order of their addresses.
pub fn v4(count: usize) -> Vec<Prefix> {
    let mut random = Rand64::new(4);
    let allocation = |random: &mut Rand64| {
        loop {
            let address = below(random, 0xe000) << 16;
            if address >= 1 << 24 && !RESERVED.contains(&(address >> 24)) {
                return address;
            }
        }
    };
    let pool = pool(count / V4_SIBLINGS, &mut random, allocation);
    draw(count, &V4_LENGTHS, &mut random, |random, length| {
        Prefix::v4(pick(&pool, random) | below(random, 1 << 16), length)
    })
}

/// IPv6 prefixes, in the order in which the kernel walks its tree: each comes after those that it
/// covers (`fib6_walk_continue`).
pub fn v6(count: usize) -> Vec<Prefix> {
    let mut random = Rand64::new(6);
    let allocation = |random: &mut Rand64| {
        let registry = pick(&REGISTRIES, random) << 116;
        registry | u128::from(below(random, 1 << 20)) << 96
    };
    let pool = pool(count / V6_SIBLINGS, &mut random, allocation);
    let mut prefixes = draw(count, &V6_LENGTHS, &mut random, |random, length| {
        let low = u128::from(below(random, 1 << 16)) << 80;
        Prefix::v6(pick(&pool, random) | low, length)
    });
    let last = |prefix: &Prefix| prefix.bits() | u128::MAX >> prefix.length();
    prefixes.sort_by_key(|prefix| (last(prefix), Reverse(prefix.length())));
    prefixes
}

fn pool<T>(count: usize, random: &mut Rand64, allocation: impl Fn(&mut Rand64) -> T) -> Vec<T> {
    (0..count.max(16)).map(|_| allocation(random)).collect()
}

fn draw(
    count: usize,
    lengths: &[(u8, u32)],
    random: &mut Rand64,
    prefix: impl Fn(&mut Rand64, u8) -> Prefix,
) -> Vec<Prefix> {
    let mut drawn = BTreeSet::new();
    while drawn.len() < count {
        let length = length(lengths, random);
        drawn.insert(prefix(random, length));
    }
    drawn.into_iter().collect()
}

fn length(lengths: &[(u8, u32)], random: &mut Rand64) -> u8 {
    let all = lengths.iter().map(|(_, share)| share).sum();
    let mut left = below(random, all);
    for (length, share) in lengths {
        match left.checked_sub(*share) {
            Some(rest) => left = rest,
            None => return *length,
        }
    }
    lengths[0].0
}

fn pick<T: Copy>(values: &[T], random: &mut Rand64) -> T {
    let count = u32::try_from(values.len()).unwrap();
    values[below(random, count) as usize]
}

fn below(random: &mut Rand64, end: u32) -> u32 {
    u32::try_from(random.rand_range(0..u64::from(end))).unwrap()
}
