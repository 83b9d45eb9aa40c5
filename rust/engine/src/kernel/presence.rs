//! Asks the kernel, prefix by prefix, whether it has a route, when a dump is inconclusive.

use std::net::IpAddr;

use ahash::AHashSet;
use bgpreflector_core::netlink::{Messages, Payload, RuleMatch, rule_dump};
use bgpreflector_core::route::{Family, Prefix};

use crate::error::KernelError;

use super::read_ahead::receive;
use super::socket::RouteSocket;

const BUFFER: usize = 128 * 1024;
const RULES: &str = "policy rules";

/// The result of a kernel lookup for a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LookupOutcome {
    /// It forwards an address of the prefix by a route for exactly this prefix, in this table.
    Present,
    /// It consulted the table and found a route for a shorter prefix.
    Absent,
    /// It found no route in any table that it consulted.
    NoRoute,
    /// It forwards that address by a route for a longer prefix.
    Covered,
    /// Another table answered, or an error route, or an IPv6 route by a next-hop object, which may
    /// not be the one that forwards the address
    /// ([`UnseenPrefixes::cached`](bgpreflector_core::table::UnseenPrefixes::cached)).
    Inconclusive,
}

/// Kernel tables, by family, that every lookup consults unless it found a route before.
pub(super) type Consulted = AHashSet<(Family, u32)>;

/// The result for prefixes that no dump showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    /// Kernel table and prefix of those that the kernel has nevertheless.
    pub(super) present: Vec<(u32, Prefix)>,
    /// Those that the kernel does not have.
    pub(super) absent: AHashSet<(u32, Prefix)>,
    /// The number of inconclusive ones.
    pub(super) unknown: usize,
}

impl Presence {
    pub(super) fn extend(&mut self, other: Self) {
        self.present.extend(other.present);
        self.absent.extend(other.absent);
        self.unknown += other.unknown;
    }
}

/// The tables that a failed lookup proves empty for the address: those that a rule leads to for all
/// packets. A rule that answers with an error, or skips others, may keep a lookup out of them.
pub(super) fn consulted(
    socket: &RouteSocket,
    sequence: &mut u32,
) -> Result<Consulted, KernelError> {
    let mut all = Consulted::new();
    for family in Family::ALL {
        let tables = rules(socket, sequence, family)?;
        all.extend(tables.into_iter().map(|table| (family, table)));
    }
    Ok(all)
}

fn rules(
    socket: &RouteSocket,
    sequence: &mut u32,
    family: Family,
) -> Result<Vec<u32>, KernelError> {
    let failed = |source| KernelError::Dump {
        what: RULES,
        source,
    };
    *sequence = sequence.wrapping_add(1);
    socket.send(&rule_dump(family, *sequence)).map_err(failed)?;
    let (mut tables, mut is_plain) = (Vec::new(), true);
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = receive(socket, RULES, &mut buffer)?;
        for message in Messages::new(buffer.get(..length).unwrap_or_default()) {
            let Ok(message) = message else {
                is_plain = false;
                continue;
            };
            if message.header.sequence != *sequence {
                continue;
            }
            is_plain &= !message.header.dump_interrupted();
            match message.payload {
                Payload::Rule(rule) => {
                    is_plain &= rule.table.is_some() || rule.matches == RuleMatch::Never;
                    tables.extend(rule.table.filter(|_| rule.matches == RuleMatch::Always));
                }
                // A kernel without policy rules (`CONFIG_IP_MULTIPLE_TABLES`) refuses.
                Payload::Done(_) | Payload::Error { .. } if is_plain => return Ok(tables),
                Payload::Done(_) | Payload::Error { .. } => return Ok(Vec::new()),
                _ => is_plain = false,
            }
        }
    }
}

/// Looks up each of the prefixes. A lookup without a result is conclusive only for tables that are
/// consulted for every address, and not for prefixes in `cached`. Calls `on_progress` before each part
/// of them.
pub(super) fn look_up_prefixes(
    socket: &RouteSocket,
    sequence: &mut u32,
    prefixes: &[(u32, Prefix)],
    cached: &AHashSet<(u32, Prefix)>,
    consulted: &Consulted,
    on_progress: &dyn Fn(),
) -> Result<Presence, KernelError> {
    let mut result = Presence::default();
    for (key, outcome) in outcomes(socket, sequence, prefixes.to_vec(), on_progress)? {
        let (table, prefix) = key;
        match outcome {
            LookupOutcome::Present => result.present.push(key),
            LookupOutcome::NoRoute if cached.contains(&key) => result.unknown += 1,
            LookupOutcome::NoRoute if !consulted.contains(&(prefix.family(), table)) => {
                result.unknown += 1;
            }
            LookupOutcome::Absent | LookupOutcome::NoRoute => {
                result.absent.insert(key);
            }
            LookupOutcome::Covered | LookupOutcome::Inconclusive => result.unknown += 1,
        }
    }
    Ok(result)
}

type TablePrefix = (u32, Prefix);

/// The outcomes for all prefixes; if a longer prefix answers, other addresses are tried.
fn outcomes(
    socket: &RouteSocket,
    sequence: &mut u32,
    mut prefixes: Vec<TablePrefix>,
    on_progress: &dyn Fn(),
) -> Result<Vec<(TablePrefix, LookupOutcome)>, KernelError> {
    let mut all = Vec::with_capacity(prefixes.len());
    for attempt in 0..ADDRESSES {
        let request = |key: &TablePrefix| (*key, address(&key.1, attempt));
        let requests: Vec<_> = prefixes.iter().map(request).collect();
        prefixes.clear();
        for (key, payload) in
            super::lookup_requests::look_up(socket, sequence, &requests, on_progress)?
        {
            let outcome = outcome_of(key, &payload);
            if outcome == LookupOutcome::Covered && attempt + 1 < ADDRESSES {
                prefixes.push(key);
            } else {
                all.push((key, outcome));
            }
        }
    }
    Ok(all)
}

fn outcome_of((table, prefix): TablePrefix, payload: &Payload) -> LookupOutcome {
    match payload {
        Payload::Route(found) if found.route.key.table == table => {
            let key = found.route.key;
            match key.prefix.length().cmp(&prefix.length()) {
                std::cmp::Ordering::Equal if key.prefix == prefix => LookupOutcome::Present,
                // The result may belong to another prefix of the same object.
                _ if prefix.family() == Family::V6 && found.route.set.object().is_some() => {
                    LookupOutcome::Inconclusive
                }
                std::cmp::Ordering::Less => LookupOutcome::Absent,
                std::cmp::Ordering::Greater => LookupOutcome::Covered,
                std::cmp::Ordering::Equal => LookupOutcome::Inconclusive,
            }
        }
        Payload::Error { errno, .. } if errno.saturating_abs() == libc::ENETUNREACH => {
            LookupOutcome::NoRoute
        }
        _ => LookupOutcome::Inconclusive,
    }
}

/// Addresses to try per prefix.
pub(super) const ADDRESSES: usize = 3;

/// The middle one, the first and the last: longer prefixes are more frequent at the beginning.
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
    use bgpreflector_core::netlink::Header;
    use bgpreflector_core::netlink::constants::{
        FR_ACT_TO_TBL, FRA_FWMARK, FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, NLMSG_ERROR, RTM_GETRULE,
        RTM_NEWRULE,
    };

    use super::super::fake_kernel::{attribute, done, fake_kernel, message};
    use super::*;

    /// A rule of a dump: its target table, and further attributes.
    fn rule(to: &Header, family: u8, action: u8, table: u32, more: &[u8]) -> Vec<u8> {
        let header = [family, 0, 0, 0, 0, 0, 0, action, 0, 0, 0, 0];
        let table = attribute(FRA_TABLE, &table.to_ne_bytes());
        let every = attribute(FRA_SUPPRESS_PREFIXLEN, &u32::MAX.to_ne_bytes());
        message(
            to,
            RTM_NEWRULE,
            0,
            &[&header, &table[..], &every, more].concat(),
        )
    }

    /// The result for a prefix in the main table of a kernel that has no routes, with these rules
    /// besides the one for the main table.
    fn known(more: impl Fn(&Header, u8) -> Vec<u8> + Send + 'static, is_main: bool) -> Presence {
        let socket = fake_kernel(move |request, payload| match request.kind {
            RTM_GETRULE => {
                let mut all = more(request, payload[0]);
                if is_main {
                    all.extend(rule(request, payload[0], FR_ACT_TO_TBL, 254, &[]));
                }
                all.extend(done(request));
                all
            }
            _ => message(request, NLMSG_ERROR, 0, &(-libc::ENETUNREACH).to_ne_bytes()),
        });
        let mut sequence = 0;
        let consulted = consulted(&socket, &mut sequence).unwrap();
        let prefixes = [(254, "192.0.2.0/24".parse().unwrap())];
        let cached = AHashSet::new();
        look_up_prefixes(
            &socket,
            &mut sequence,
            &prefixes,
            &cached,
            &consulted,
            &|| (),
        )
        .unwrap()
    }

    #[test]
    fn nothing_tells_only_of_tables_that_every_lookup_comes_to() {
        let none = |_: &Header, _| Vec::new();
        let plain = known(none, true);
        assert_eq!((plain.absent.len(), plain.unknown), (1, 0));
        // The main table is consulted for some destinations only, or for none.
        let to_some = |to: &Header, family| {
            rule(
                to,
                family,
                FR_ACT_TO_TBL,
                254,
                &attribute(1, &[10, 0, 0, 0]),
            )
        };
        let other = |to: &Header, family| rule(to, family, FR_ACT_TO_TBL, 100, &[]);
        for presence in [
            known(to_some, false),
            known(other, false),
            known(none, false),
        ] {
            assert_eq!((presence.absent.len(), presence.unknown), (0, 1));
        }
        // An earlier rule has no effect, or answers some lookups with an error.
        assert_eq!(known(other, true).unknown, 0);
        const UNREACHABLE: u8 = 7;
        let error = |to: &Header, family| rule(to, family, UNREACHABLE, 0, &[]);
        assert_eq!(known(error, true).unknown, 1);
        let marked =
            |to: &Header, family| rule(to, family, UNREACHABLE, 0, &attribute(FRA_FWMARK, &[1; 4]));
        assert_eq!(known(marked, true).unknown, 0);
        // It skips routes with short prefixes.
        let suppress = |to: &Header, family| {
            let header = [family, 0, 0, 0, 0, 0, 0, FR_ACT_TO_TBL, 0, 0, 0, 0];
            let table = attribute(FRA_TABLE, &254_u32.to_ne_bytes());
            let suppressed = attribute(FRA_SUPPRESS_PREFIXLEN, &0_u32.to_ne_bytes());
            message(
                to,
                RTM_NEWRULE,
                0,
                &[&header, &table[..], &suppressed].concat(),
            )
        };
        assert_eq!(known(suppress, false).unknown, 1);
    }

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
