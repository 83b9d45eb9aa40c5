//! A few of VPP's debug CLI commands.

use std::fmt::Write as _;

use bgpreflector_core::route::{Family, Prefix};

use crate::state::State;

/// What it calls its version.
pub(crate) const VERSION: &str = "26.10-simulated";

/// The output of a command.
pub(crate) fn run(state: &State, command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["show", "version"] => format!("vpp v{VERSION}\n"),
        ["show", "interface"] => interfaces(state),
        ["show", "plugins"] => " Plugin path is: (simulated)\n".into(),
        ["show", "ip", "fib", "summary"] => summary(state, Family::V4),
        ["show", "ip6", "fib", "summary"] => summary(state, Family::V6),
        ["show", "ip" | "ip6", "fib", prefix] => match prefix.parse() {
            Ok(prefix) => one(state, &prefix),
            Err(error) => format!("{error}\n"),
        },
        _ => format!("unknown input `{command}'\n"),
    }
}

fn interfaces(state: &State) -> String {
    let mut text = String::from("Name  Idx  State\n");
    for interface in state.interfaces.all() {
        let up = if interface.up { "up" } else { "down" };
        let _ = writeln!(text, "{}  {}  {up}", interface.name, interface.sw_if_index);
    }
    text
}

fn summary(state: &State, family: Family) -> String {
    let mut lengths = std::collections::BTreeMap::new();
    for ((table, prefix), ..) in state.fib.all(&state.sources) {
        if prefix.family() == family {
            *lengths.entry((table, prefix.length())).or_insert(0_u64) += 1;
        }
    }
    let mut text = String::from("Table  Prefix length  Count\n");
    for ((table, length), count) in lengths {
        let _ = writeln!(text, "{table}  {length}  {count}");
    }
    text
}

fn one(state: &State, prefix: &Prefix) -> String {
    let mut text = String::new();
    for source in state.sources.all() {
        let here = state
            .fib
            .of_source(source.id)
            .filter(|((_, other), _)| other == prefix);
        for ((table, _), set) in here {
            let _ = writeln!(text, "{prefix} table:{table} source:{}", source.name);
            for path in set.paths() {
                let via = path
                    .next_hop
                    .map_or("attached".to_owned(), |hop| hop.to_string());
                let _ = writeln!(
                    text,
                    "  {:?} {via} sw_if_index:{}",
                    path.kind, path.sw_if_index
                );
            }
        }
    }
    text
}
