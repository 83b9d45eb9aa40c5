//! Conversions between Rust and Python values.

use std::net::IpAddr;
use std::time::Duration;

use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Path, PathSet, PathType, Prefix, Route, RouteKey,
    RouteType,
};
use bgpreflector_core::table::{Fallback, ForeignRoutes, PrefixLists, PrefixRule, RuleAction};
use pyo3::exceptions::PyValueError;
use pyo3::{PyErr, PyResult};

pub(crate) fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

pub(crate) fn prefix(text: &str) -> PyResult<Prefix> {
    text.parse().map_err(value_error)
}

pub(crate) fn family(name: &str) -> PyResult<Family> {
    let named = Family::ALL.into_iter().find(|family| family.name() == name);
    named.ok_or_else(|| {
        value_error(format!(
            "unknown family {name:?}: expected \"ipv4\" or \"ipv6\""
        ))
    })
}

/// A prefix rule from Python: prefix, minimum and maximum length, whether it allows.
pub(crate) type PrefixRuleTuple = (String, u8, u8, bool);

pub(crate) fn prefix_lists(rules: Vec<PrefixRuleTuple>) -> PyResult<PrefixLists> {
    let rule = |(within, shortest, longest, allow): PrefixRuleTuple| {
        Ok(PrefixRule {
            within: prefix(&within)?,
            lengths: shortest..=longest,
            action: if allow {
                RuleAction::Allow
            } else {
                RuleAction::Deny
            },
        })
    };
    let rules: PyResult<Vec<_>> = rules.into_iter().map(rule).collect();
    Ok(PrefixLists::new(rules?))
}

/// A next hop from Python: gateway, kernel interface, weight.
pub(crate) type NextHopTuple = (Option<IpAddr>, u32, u32);

pub(crate) fn set(family: Family, next_hops: Vec<NextHopTuple>) -> NextHopSet {
    let hop = |(gateway, interface, weight): NextHopTuple| NextHop {
        weight,
        ..NextHop::new(gateway, interface)
    };
    NextHopSet::new(
        family,
        RouteType::Unicast,
        NextHopSource::Inline(next_hops.into_iter().map(hop).collect()),
    )
}

pub(crate) fn route_type(route_type: RouteType) -> String {
    route_type.name().into_owned()
}

/// The type with a name that [`route_type`] returns.
pub(crate) fn route_type_named(name: &str) -> PyResult<RouteType> {
    let known = [
        RouteType::Unicast,
        RouteType::Blackhole,
        RouteType::Unreachable,
        RouteType::Prohibit,
    ];
    let named = known.into_iter().find(|kind| route_type(*kind) == name);
    named.ok_or_else(|| value_error(format!("unknown route type {name:?}")))
}

/// The substitute for held routes, by its name in the configuration.
pub(crate) fn fallback(name: &str) -> PyResult<Fallback> {
    match name {
        "hold" => Ok(Fallback::Hold),
        "drop" => Ok(Fallback::Drop),
        "punt" => Ok(Fallback::Punt),
        _ => Err(value_error(format!("unknown fallback {name:?}"))),
    }
}

/// What foreign routes do, by its name in the configuration.
pub(crate) fn foreign_routes(name: &str) -> PyResult<ForeignRoutes> {
    match name {
        "hide" => Ok(ForeignRoutes::Hide),
        "ignore" => Ok(ForeignRoutes::Ignore),
        _ => Err(value_error(format!(
            "{name:?} is not \"hide\" or \"ignore\""
        ))),
    }
}

/// A path set as text.
pub(crate) fn paths(set: &PathSet) -> Vec<String> {
    set.paths().iter().map(path).collect()
}

/// A path as text.
pub(crate) fn path(path: &Path) -> String {
    let mut text = match (path.path_type, path.next_hop) {
        (PathType::Normal, Some(next_hop)) => format!("via {next_hop}"),
        (PathType::Normal, None) => match path.looks_up_in() {
            Some((_, table)) => format!("lookup in table {table}"),
            None => "attached".to_owned(),
        },
        (special, _) => return special.name().to_owned(),
    };
    if path.sw_if_index != Path::NO_INTERFACE {
        text.push_str(&format!(" sw_if_index {}", path.sw_if_index));
    }
    if path.weight != 1 {
        text.push_str(&format!(" weight {}", path.weight));
    }
    if !path.labels.is_empty() {
        text.push_str(&format!(" labels {:?}", path.labels));
    }
    text
}

/// A duration from seconds.
pub(crate) fn seconds(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(value_error)
}

/// A route with these next hops and no TOS.
pub(crate) fn route(
    table: u32,
    prefix: &str,
    next_hops: Vec<NextHopTuple>,
    protocol: u8,
    metric: u32,
) -> PyResult<Route> {
    let key = key(table, prefix, metric)?;
    let set = set(key.prefix.family(), next_hops);
    Ok(Route { key, protocol, set })
}

fn key(table: u32, prefix: &str, metric: u32) -> PyResult<RouteKey> {
    Ok(RouteKey {
        table,
        prefix: self::prefix(prefix)?,
        tos: 0,
        metric,
    })
}

/// Keys and protocols of routes to withdraw, and routes to announce.
pub(crate) type InjectedRoutes = (Vec<(RouteKey, u8)>, Vec<Route>);

/// Injected routes from Python: those to withdraw, by table and prefix, and those to announce, with
/// their next hops.
pub(crate) fn injected(
    withdrawn: Vec<(u32, String)>,
    announced: Vec<(u32, String, Vec<NextHopTuple>)>,
    protocol: u8,
) -> PyResult<InjectedRoutes> {
    let keys = withdrawn
        .into_iter()
        .map(|(table, prefix)| Ok((key(table, &prefix, 0)?, protocol)));
    let routes = announced
        .into_iter()
        .map(|(table, prefix, hops)| route(table, &prefix, hops, protocol, 0));
    Ok((
        keys.collect::<PyResult<_>>()?,
        routes.collect::<PyResult<_>>()?,
    ))
}
