//! Whether the kernel has a route for a prefix: asked prefix by prefix, where a dump does not tell.

use std::net::IpAddr;

use ahash::AHashSet;
use bgpreflector_core::netlink::Body;
use bgpreflector_core::route::{Family, NextHopSource, Prefix, Route};
use bgpreflector_core::table::UnseenPrefixes;

use crate::error::KernelError;

use super::socket::RouteSocket;

/// What the kernel's answer to a lookup tells of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It forwards an address within by a route for just this prefix, in this table.
    Present,
    /// It looked into the table and found a route for a shorter prefix.
    Absent,
    /// It found no route in any table.
    Nothing,
    /// It forwards that address by a route for a longer prefix.
    Covered,
    /// Another table answered, a route that is an error, or one by a next-hop object of IPv6, which
    /// may not be the one that the address is forwarded by ([`UnseenPrefixes::cached`]).
    Unknown,
}

/// What is known of prefixes that no dump showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    /// Kernel table and prefix of those that the kernel has a route for all the same.
    pub(super) present: Vec<(u32, Prefix)>,
    /// Those that it has nothing for.
    pub(super) absent: AHashSet<(u32, Prefix)>,
    /// How many nothing is known of.
    pub(super) unknown: usize,
}

/// Asks the kernel for each of the prefixes that were not seen. It must answer for one that was seen
/// before its word that there is nothing counts: policy rules may keep a lookup out of a table.
pub(super) fn ask(
    socket: &RouteSocket,
    sequence: &mut u32,
    unseen: &UnseenPrefixes,
    gets_on: &dyn Fn(),
) -> Result<Presence, KernelError> {
    let mut result = Presence::default();
    let mut consulted = AHashSet::new();
    let seen = unseen.seen.iter().copied();
    for ((table, prefix), answer) in answers(socket, sequence, seen.collect(), gets_on)? {
        if matches!(answer, Answer::Present | Answer::Absent) {
            consulted.insert((table, prefix.family()));
        }
    }
    for (asked, answer) in answers(socket, sequence, unseen.prefixes.clone(), gets_on)? {
        let (table, prefix) = asked;
        match answer {
            Answer::Present => result.present.push(asked),
            Answer::Nothing if unseen.cached.contains(&asked) => result.unknown += 1,
            Answer::Nothing if !consulted.contains(&(table, prefix.family())) => {
                result.unknown += 1;
            }
            Answer::Absent | Answer::Nothing => {
                result.absent.insert(asked);
            }
            Answer::Covered | Answer::Unknown => result.unknown += 1,
        }
    }
    Ok(result)
}

type Asked = (u32, Prefix);

/// The answers for all prefixes; where a longer prefix is in the way other addresses are tried.
fn answers(
    socket: &RouteSocket,
    sequence: &mut u32,
    mut prefixes: Vec<Asked>,
    gets_on: &dyn Fn(),
) -> Result<Vec<(Asked, Answer)>, KernelError> {
    let mut all = Vec::with_capacity(prefixes.len());
    for attempt in 0..ADDRESSES {
        let question = |asked: &Asked| (*asked, address(&asked.1, attempt));
        let questions: Vec<_> = prefixes.iter().map(question).collect();
        prefixes.clear();
        for (asked, body) in super::ask::ask(socket, sequence, &questions, gets_on)? {
            let answer = meaning(asked, &body);
            if answer == Answer::Covered && attempt + 1 < ADDRESSES {
                prefixes.push(asked);
            } else {
                all.push((asked, answer));
            }
        }
    }
    Ok(all)
}

fn meaning((table, prefix): Asked, body: &Body) -> Answer {
    match body {
        Body::Route(found) if found.route.key.table == table => {
            let key = found.route.key;
            match key.prefix.length().cmp(&prefix.length()) {
                std::cmp::Ordering::Equal if key.prefix == prefix => Answer::Present,
                // Another prefix of the same object may be what it was asked for.
                _ if prefix.family() == Family::V6 && by_object(&found.route) => Answer::Unknown,
                std::cmp::Ordering::Less => Answer::Absent,
                std::cmp::Ordering::Greater => Answer::Covered,
                std::cmp::Ordering::Equal => Answer::Unknown,
            }
        }
        Body::Error { errno, .. } if errno.saturating_abs() == libc::ENETUNREACH => Answer::Nothing,
        _ => Answer::Unknown,
    }
}

fn by_object(route: &Route) -> bool {
    matches!(route.set.next_hops, NextHopSource::Object(_))
}

/// Addresses of a prefix that are tried.
pub(super) const ADDRESSES: usize = 3;

/// One in the middle, the first and the last: longer prefixes are rather at the beginning.
pub(super) fn address(prefix: &Prefix, attempt: usize) -> IpAddr {
    let host = u32::from(prefix.family().bits() - prefix.length());
    let ones = 1_u128.checked_shl(host).map_or(u128::MAX, |end| end - 1);
    let within = match attempt {
        0 => (ones >> 1) + u128::from(host > 1),
        1 => 0,
        _ => ones,
    };
    let bits = prefix.bits() | within;
    match prefix.family() {
        Family::V4 => IpAddr::V4((bits as u32).into()),
        Family::V6 => IpAddr::V6(bits.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(prefix: &str) -> Vec<String> {
        let prefix = prefix.parse().unwrap();
        let all = (0..ADDRESSES).map(|attempt| address(&prefix, attempt).to_string());
        all.collect()
    }

    #[test]
    fn the_addresses_are_within_the_prefix() {
        let expected = ["192.0.2.128", "192.0.2.0", "192.0.2.255"];
        assert_eq!(addresses("192.0.2.0/24"), expected);
        assert_eq!(addresses("192.0.2.7/32"), ["192.0.2.7"; 3]);
        let expected = ["192.0.2.6", "192.0.2.6", "192.0.2.7"];
        assert_eq!(addresses("192.0.2.6/31"), expected);
        assert_eq!(addresses("0.0.0.0/0")[0], "128.0.0.0");
        assert_eq!(addresses("::/0")[0], "8000::");
        assert_eq!(addresses("2001:db8::1/128"), ["2001:db8::1"; 3]);
    }
}
