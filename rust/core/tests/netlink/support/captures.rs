//! Captured kernel messages, and what iproute2 showed at the same time.

use std::net::IpAddr;
use std::path::Path;

use bgpreflector_core::route::{
    NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
};
use serde_json::Value;

/// What a capture is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The answer to a dump request, `NLMSG_DONE` included.
    Dump,
    /// Multicast while a command ran.
    Notification,
    /// `NLMSG_ERROR`.
    Reply,
}

/// One line of `captures.jsonl` (see `capture.py`).
#[derive(Clone, Debug)]
pub struct Capture {
    /// The case in `cases.toml` and what was being done.
    pub name: String,
    /// What it is of.
    pub kind: Kind,
    /// The messages.
    pub bytes: Vec<u8>,
    /// What iproute2 showed.
    pub expected: Value,
}

/// All captures, in the order they were made.
pub fn load() -> Vec<Capture> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/netlink")
        .join("captures.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Capture {
    let row: Value = serde_json::from_str(line).unwrap();
    let text = |key: &str| row[key].as_str().unwrap();
    Capture {
        name: format!("{}: {}", text("case"), text("command")),
        kind: match text("kind") {
            "dump" => Kind::Dump,
            "notification" => Kind::Notification,
            "reply" => Kind::Reply,
            other => panic!("kind {other}"),
        },
        bytes: from_hex(text("hex")),
        expected: row["expected"].clone(),
    }
}

/// The bytes of a recording.
pub fn from_hex(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The entries of a list in what was expected.
pub fn rows(expected: &Value, list: &str) -> Vec<Value> {
    expected[list].as_array().unwrap().clone()
}

/// An unsigned number of a row.
pub fn number<T: TryFrom<u64>>(row: &Value, key: &str) -> T {
    let number = row[key].as_u64().unwrap();
    T::try_from(number).unwrap_or_else(|_| panic!("{key} is {number}"))
}

/// The route that iproute2 showed; none where it is source-specific.
pub fn route(row: &Value) -> Option<Route> {
    if !row["source"].is_null() {
        return None;
    }
    let prefix: Prefix = row["prefix"].as_str().unwrap().parse().unwrap();
    let route_type = match number(row, "type") {
        1 => RouteType::Unicast,
        6 => RouteType::Blackhole,
        7 => RouteType::Unreachable,
        8 => RouteType::Prohibit,
        other => RouteType::Other(other),
    };
    let next_hops = match (row["nhid"].is_null(), route_type) {
        (false, _) => NextHopSource::Object(number(row, "nhid")),
        (true, RouteType::Unicast) => {
            NextHopSource::Inline(rows(row, "next_hops").iter().map(next_hop).collect())
        }
        (true, _) => NextHopSource::Inline([].into_iter().collect()),
    };
    Some(Route {
        key: RouteKey {
            table: number(row, "table"),
            prefix,
            tos: number(row, "tos"),
            metric: number(row, "metric"),
        },
        protocol: number(row, "protocol"),
        set: NextHopSet::new(prefix.family(), route_type, next_hops),
    })
}

/// The next hop that iproute2 showed.
pub fn next_hop(row: &Value) -> NextHop {
    let gateway = row["gateway"]
        .as_str()
        .map(|text| text.parse::<IpAddr>().unwrap());
    NextHop {
        weight: number(row, "weight"),
        onlink: row["onlink"].as_bool().unwrap(),
        dead: row["dead"].as_bool().unwrap(),
        encapsulation: number(row, "encapsulation"),
        ..NextHop::new(gateway, number(row, "interface"))
    }
}
