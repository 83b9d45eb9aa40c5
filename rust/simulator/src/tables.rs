//! VPP's tables, and the routes that VPP adds to each.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::vpp::address::family_of;

use crate::fib::Fib;
use crate::paths::{ApiPath, DROP, FibPathType};
use crate::sources::{DEFAULT_ROUTE, SPECIAL};

/// Names by table, IPv4's first, as VPP lists them.
#[derive(Debug)]
pub(crate) struct Tables(BTreeMap<(bool, u32), String>);

impl Tables {
    /// Table 0 of both families.
    pub(crate) fn new(fib: &mut Fib) -> Self {
        let mut tables = Self(BTreeMap::new());
        for family in Family::ALL {
            tables.add(0, family, "", fib);
        }
        tables
    }

    /// Adds a table; an existing one keeps its name.
    pub(crate) fn add(&mut self, table: u32, family: Family, name: &str, fib: &mut Fib) {
        let name = match name {
            "" => format!("{family}-VRF:{table}"),
            name => name.to_owned(),
        };
        self.0.entry((family == Family::V6, table)).or_insert(name);
        fill(table, family, fib);
    }

    /// Deletes a table, except table 0. As in VPP, its routes are neither shown nor freed, and
    /// reappear with the table: a client must delete them first.
    pub(crate) fn remove(&mut self, table: u32, family: Family) {
        if table != 0 {
            self.0.remove(&(family == Family::V6, table));
        }
    }

    /// The lowest unused table id of a family.
    pub(crate) fn unused(&self, family: Family) -> Option<u32> {
        (1..u32::MAX).find(|table| !self.has(*table, family))
    }

    pub(crate) fn has(&self, table: u32, family: Family) -> bool {
        self.0.contains_key(&(family == Family::V6, table))
    }

    /// The name of a table; empty where there is none.
    pub(crate) fn name(&self, table: u32, family: Family) -> &str {
        self.0
            .get(&(family == Family::V6, table))
            .map_or("", String::as_str)
    }

    /// Table, family and name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, Family, &str)> {
        self.0
            .iter()
            .map(|((is_ip6, table), name)| (*table, family_of(*is_ip6), name.as_str()))
    }
}

/// The routes of every new table (`ip4_specials` in `ip4_fib.c`, and `ip6_fib.c`).
fn fill(table: u32, family: Family, fib: &mut Fib) {
    let v4 = |a, b, c, d, length| Prefix::new(IpAddr::from(Ipv4Addr::new(a, b, c, d)), length);
    let drop = ApiPath::new(FibPathType::Special(DROP), family);
    let specials = match family {
        Family::V4 => vec![
            (v4(0, 0, 0, 0, 0), DEFAULT_ROUTE, drop.clone()),
            (v4(0, 0, 0, 0, 32), DEFAULT_ROUTE, drop.clone()),
            (v4(240, 0, 0, 0, 4), SPECIAL, drop.clone()),
            (v4(224, 0, 0, 0, 4), SPECIAL, drop.clone()),
            (v4(255, 255, 255, 255, 32), DEFAULT_ROUTE, drop),
        ],
        Family::V6 => {
            let any = IpAddr::from(Ipv6Addr::UNSPECIFIED);
            let link_local = IpAddr::from(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0));
            let by_link = ApiPath::new(FibPathType::Exclusive, family);
            vec![
                (Prefix::new(any, 0), DEFAULT_ROUTE, drop),
                (Prefix::new(link_local, 10), SPECIAL, by_link),
            ]
        }
    };
    for (prefix, source, path) in specials {
        if let Ok(prefix) = prefix {
            let set = fib.sets.intern(vec![path]);
            fib.replace((table, prefix), source, set);
        }
    }
}
