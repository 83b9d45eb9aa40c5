//! Some of VPP's debug CLI commands, with VPP's output.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::net::IpAddr;

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::vpp::address::address_from_union;

use crate::fib::Best;
use crate::interfaces::Interface;
use crate::paths::FibPathType;
use crate::resolve::{self, Outcome};
use crate::state::State;

/// The build date that it reports.
pub(crate) const BUILT: &str = "1970-01-01T00:00:00";

const UNKNOWN: i32 = -1;

/// VPP's return code and the output of a command.
pub(crate) fn run(state: &State, command: &str) -> (i32, String) {
    let words: Vec<&str> = command.split_whitespace().collect();
    let text = match words.as_slice() {
        ["show", "version"] => {
            let version = state.version();
            format!("vpp v{version} built by bgpreflector on simulator at {BUILT}\n")
        }
        ["show", "interface"] => interfaces(state),
        ["show", "interface", "address"] => state.interfaces.all().iter().map(addresses).collect(),
        ["show", "plugins"] => plugins(state),
        ["show", "ip", "table"] => tables(state, Family::V4),
        ["show", "ip6", "table"] => tables(state, Family::V6),
        ["show", "ip", "fib", rest @ ..] => return fib(state, Family::V4, rest, command),
        ["show", "ip6", "fib", rest @ ..] => return fib(state, Family::V6, rest, command),
        _ => return unknown(command),
    };
    (0, text)
}

fn unknown(command: &str) -> (i32, String) {
    (UNKNOWN, format!("unknown input `{command}'\n"))
}

fn lines<T>(items: impl Iterator<Item = T>, line: impl Fn(T) -> String) -> String {
    items.map(|item| line(item) + "\n").collect()
}

/// Like VPP: centred, and if that is impossible, off to the right.
fn centred(text: &dyn Display, width: usize) -> String {
    let text = text.to_string();
    let left = width.saturating_sub(text.len()).div_ceil(2);
    format!("{:<width$}", " ".repeat(left) + &text)
}

fn interfaces(state: &State) -> String {
    let row = |name: String, index: &dyn Display, state: &str, mtu: &str| {
        name + &centred(index, 5) + &centred(&state, 10) + &centred(&mtu, 21)
    };
    let head = row(
        centred(&"Name", 32),
        &"Idx",
        "State",
        "MTU (L3/IP4/IP6/MPLS)",
    );
    let head = head + "     Counter          Count     \n";
    let one = |interface: &Interface| {
        let up = if interface.up { "up" } else { "down" };
        let index = interface.sw_if_index;
        let mtu = if index == 0 { "0/0/0/0" } else { "9000/0/0/0" };
        row(format!("{:<32}", interface.name), &index, up, mtu)
    };
    head + &lines(state.interfaces.all().iter(), one)
}

fn addresses(interface: &Interface) -> String {
    let state = if interface.up { "up" } else { "dn" };
    let head = format!("{} ({state}):\n", interface.name);
    head + &lines(interface.addresses.iter(), |(address, length)| {
        format!("  L3 {address}/{length}")
    })
}

fn plugins(state: &State) -> String {
    let head = " Plugin path is: (simulated), plugins shown in load order\n\n     \
                Plugin                                   Version                          \
                Description\n";
    let numbered = (1..).zip(&state.settings.plugins);
    let version = state.version();
    let one = |(number, name): (u32, &String)| format!("{number:>3}. {name:<40} {version:<32}");
    head.to_owned() + &lines(numbered, one)
}

fn tables(state: &State, family: Family) -> String {
    let ours = state.tables.all().filter(|(_, of, _)| *of == family);
    lines((0..).zip(ours), |(index, (table, _, name)): (u32, _)| {
        format!("[{index}] table_id:{table} {name}")
    })
}

fn fib(state: &State, family: Family, words: &[&str], command: &str) -> (i32, String) {
    let mut text = String::new();
    let (only, words) = match words {
        ["table", table, rest @ ..] => match table.parse::<u32>() {
            Ok(table) => (Some(table), rest),
            Err(_) => return unknown(command),
        },
        _ => (None, words),
    };
    let ours = state.tables.all().filter(|(_, of, _)| *of == family);
    for (index, (table, _, name)) in (0_u32..).zip(ours) {
        if only.is_some_and(|only| only != table) {
            continue;
        }
        let _ = writeln!(
            text,
            "{name}, fib_index:{index}, flow hash:[src dst sport dport proto flowlabel ] epoch:0 \
             flags:none locks:[]"
        );
        match words {
            ["summary"] => summary(state, table, family, &mut text),
            [] => {
                let here = state.fib.all(&state.sources);
                let here = here.filter(|b| b.key.0 == table && b.key.1.family() == family);
                here.for_each(|best| route(state, &best, &mut text));
            }
            [wanted] => match looked_up(state, table, wanted) {
                Some(best) => route(state, &best, &mut text),
                None => return unknown(command),
            },
            _ => return unknown(command),
        }
    }
    (0, text)
}

/// An address is looked up by longest match, and so is a prefix without a route.
fn looked_up<'a>(state: &'a State, table: u32, wanted: &str) -> Option<Best<'a>> {
    let host = |address: IpAddr| Prefix::new(address, if address.is_ipv4() { 32 } else { 128 });
    let prefix = match wanted.parse() {
        Ok(prefix) => prefix,
        Err(_) => host(wanted.parse().ok()?).ok()?,
    };
    state.fib.lookup(table, &prefix, &state.sources)
}

fn summary(state: &State, table: u32, family: Family, text: &mut String) {
    let mut lengths = BTreeMap::new();
    for best in state.fib.all(&state.sources) {
        if best.key.0 == table && best.key.1.family() == family {
            *lengths.entry(best.key.1.length()).or_insert(0_u64) += 1;
        }
    }
    text.push_str("    Prefix length         Count     \n");
    let row = |(length, count): (&u8, &u64)| match family {
        Family::V4 => format!("{length:>20}{count:>16}"),
        Family::V6 => centred(length, 20) + &centred(count, 16),
    };
    match family {
        Family::V4 => text.push_str(&lines(lengths.iter(), row)),
        Family::V6 => text.push_str(&lines(lengths.iter().rev(), row)),
    }
}

/// A route in VPP's format: its sources and paths, and the result of resolving them.
fn route(state: &State, best: &Best<'_>, text: &mut String) {
    let (table, prefix) = best.key;
    let _ = writeln!(
        text,
        "{prefix} fib:{table} index:{} locks:2",
        best.stats_index
    );
    for source in state.sources.all() {
        let Some(set) = state.fib.route(&best.key, source.id) else {
            continue;
        };
        let active = if source.id == best.source {
            "active,"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "  {} refs:1 src-flags:added,contributing,{active}",
            source.name
        );
        for path in set.paths.iter() {
            let path_type = match (path.path_type, resolve::outcome(state, best, set, path)) {
                (FibPathType::Special(number), _) => special(number),
                (FibPathType::Recursive, Outcome::Forwards(_)) => {
                    "recursive:  oper-flags:resolved,"
                }
                (FibPathType::Recursive, Outcome::Loop) => "recursive:  oper-flags:recursive-loop,",
                (FibPathType::Recursive, Outcome::Unresolved) => "recursive: ",
                (FibPathType::Receive, _) => "receive:  oper-flags:resolved, cfg-flags:local,",
                _ if set.is_dead(path.sw_if_index) => "attached-nexthop:  oper-flags:drop,",
                (_, Outcome::Forwards(_)) => "attached-nexthop:  oper-flags:resolved,",
                _ => "attached-nexthop: ",
            };
            let (weight, preference) = (path.weight, path.preference);
            let _ = writeln!(
                text,
                "      path: weight={weight} pref={preference} {path_type}"
            );
            let interface = state.interfaces.get(path.sw_if_index);
            let name = interface.map_or("", |interface| interface.name.as_str());
            let hop = if path.address == [0; 16] {
                String::new()
            } else {
                address_from_union(prefix.family(), path.address).to_string()
            };
            if set.is_dead(path.sw_if_index) {
                let _ = writeln!(text, "        {hop} if_index:{}", path.sw_if_index);
                let _ = writeln!(text, "        unresolved");
            } else {
                let _ = writeln!(text, "        {hop} {name}");
            }
        }
    }
    resolve::forwarding(state, best, text);
}

fn special(number: u32) -> &'static str {
    match number {
        5 => "special:  cfg-flags:icmp-unreach,",
        6 => "special:  cfg-flags:icmp-prohibit,",
        _ => "special:  cfg-flags:drop,",
    }
}
