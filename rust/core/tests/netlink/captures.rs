//! Captured kernel messages decode to what iproute2 showed.

use std::collections::{BTreeMap, BTreeSet};

use super::support::captures::{self, Capture, Kind, number, rows};
use bgpreflector_core::netlink::{
    Action, LinkMessage, Message, Messages, NextHopMessage, Payload, SkipReason,
};
use bgpreflector_core::route::{Family, NextHop, NextHopSource, Route};
use serde_json::Value;

fn of(kind: Kind) -> impl Iterator<Item = (Capture, Vec<Message>)> {
    let captures = captures::load().into_iter().filter(move |c| c.kind == kind);
    captures.map(|capture| {
        let messages = Messages::new(&capture.bytes)
            .map(|message| message.unwrap_or_else(|error| panic!("{}: {error}", capture.name)))
            .collect();
        (capture, messages)
    })
}

/// The routes of the messages with `action`, in a comparable order. Without the digests, of which
/// iproute2 shows nothing.
fn routes(messages: &[Message], action: Action) -> Vec<Route> {
    let route = |message: &Message| match &message.payload {
        Payload::Route(route) if route.action == action => {
            let mut route = route.route.clone();
            route.set.digest = 0;
            if let NextHopSource::Inline(hops) = &mut route.set.next_hops {
                hops.iter_mut().for_each(|hop| hop.digest = 0);
            }
            Some(route)
        }
        _ => None,
    };
    sorted(messages.iter().filter_map(route))
}

fn shown(rows: &[Value]) -> Vec<Route> {
    sorted(rows.iter().filter_map(captures::route))
}

fn sorted(routes: impl Iterator<Item = Route>) -> Vec<Route> {
    let mut routes: Vec<Route> = routes.collect();
    routes.sort_by_key(|route| format!("{route:?}"));
    routes
}

/// An IPv6 notification begins with the next hop that was added, wherever the kernel put it.
fn unordered(mut routes: Vec<Route>) -> Vec<Route> {
    for route in &mut routes {
        if let (Family::V6, NextHopSource::Inline(hops)) =
            (route.set.family, &mut route.set.next_hops)
        {
            hops.sort_unstable();
        }
    }
    routes
}

fn links(messages: &[Message]) -> impl Iterator<Item = &LinkMessage> {
    messages
        .iter()
        .filter_map(|message| match &message.payload {
            Payload::Link(link) => Some(&**link),
            _ => None,
        })
}

fn next_hops(messages: &[Message]) -> impl Iterator<Item = &NextHopMessage> {
    messages
        .iter()
        .filter_map(|message| match &message.payload {
            Payload::NextHop(next_hop) => Some(next_hop),
            _ => None,
        })
}

fn assert_link(name: &str, link: &LinkMessage, row: &Value) {
    assert_eq!(link.index, number::<u32>(row, "index"), "{name}");
    assert_eq!(link.name.as_deref(), row["name"].as_str(), "{name}");
    assert_eq!(Some(link.up), row["up"].as_bool(), "{name}");
    assert_eq!(Some(link.carrier), row["carrier"].as_bool(), "{name}");
}

fn assert_next_hop(name: &str, object: &NextHopMessage, row: &Value) {
    assert_eq!(object.id, number::<u32>(row, "id"), "{name}");
    assert_eq!(Some(object.blackhole), row["blackhole"].as_bool(), "{name}");
    assert_eq!(Some(object.fdb), row["fdb"].as_bool(), "{name}");
    let members = row["group"].as_array();
    assert_eq!(object.is_group, members.is_some(), "{name}");
    let members = members.into_iter().flatten().map(|member| {
        let number = |at: usize| u32::try_from(member[at].as_u64().unwrap()).unwrap();
        (number(0), number(1))
    });
    assert_eq!(object.group.to_vec(), members.collect::<Vec<_>>(), "{name}");
    let single =
        (!object.is_group && !object.blackhole).then(|| captures::next_hop(&row["next_hop"]));
    assert_eq!(object.next_hop, single, "{name}");
}

#[test]
fn dumps_hold_what_iproute2_shows() {
    for (capture, messages) in of(Kind::Dump) {
        let Capture { name, expected, .. } = &capture;
        let shown_routes = rows(expected, "routes");
        assert_eq!(
            routes(&messages, Action::New),
            shown(&shown_routes),
            "{name}"
        );
        let source_specific = shown_routes.iter().filter(|row| !row["source"].is_null());
        let skipped = messages
            .iter()
            .filter(|message| matches!(message.payload, Payload::SourceSpecific(_)));
        assert_eq!(skipped.count(), source_specific.count(), "{name}");

        let shown_links = rows(expected, "links");
        assert_eq!(links(&messages).count(), shown_links.len(), "{name}");
        for (link, row) in links(&messages).zip(&shown_links) {
            assert_link(name, link, row);
        }
        let shown_objects = rows(expected, "next_hops");
        assert_eq!(next_hops(&messages).count(), shown_objects.len(), "{name}");
        for (object, row) in next_hops(&messages).zip(&shown_objects) {
            assert_next_hop(name, object, row);
        }

        let done = i32::try_from(expected["done"].as_i64().unwrap()).unwrap();
        assert_eq!(
            messages.last().unwrap().payload,
            Payload::Done(done),
            "{name}"
        );
        let listed = shown_routes.len() + shown_links.len() + shown_objects.len();
        assert_eq!(messages.len(), listed + 1, "{name}");
    }
}

#[test]
fn announcements_are_what_iproute2_shows_afterwards() {
    for (capture, messages) in of(Kind::Notification) {
        let Capture { name, expected, .. } = &capture;
        let after = unordered(shown(&rows(&expected["after"], "routes")));
        let announced = unordered(routes(&messages, Action::New));
        for route in &announced {
            assert!(after.contains(route), "{name}: {route:?}\n{after:?}");
        }
        // The kernel does not report every change that a link or an object makes to routes, nor
        // which next hops stay when it withdraws one.
        if links(&messages).next().is_some() || next_hops(&messages).next().is_some() {
            continue;
        }
        let withdrawn = routes(&messages, Action::Delete);
        for route in after {
            let lost_a_next_hop = withdrawn.iter().any(|gone| gone.key == route.key);
            assert!(
                lost_a_next_hop || announced.contains(&route),
                "{name}: {route:?}"
            );
        }
    }
}

#[test]
fn withdrawals_are_of_what_iproute2_showed_before() {
    for (capture, messages) in of(Kind::Notification) {
        let Capture { name, expected, .. } = &capture;
        let before = shown(&rows(&expected["before"], "routes"));
        let after = shown(&rows(&expected["after"], "routes"));
        let withdrawn = routes(&messages, Action::Delete);
        for gone in &withdrawn {
            let whole = before.iter().find(|route| holds(route, gone));
            assert!(whole.is_some(), "{name}: {gone:?}\n{before:?}");
        }
        let by_itself = links(&messages).next().is_none() && next_hops(&messages).next().is_none();
        for route in before.iter().filter(|_| by_itself) {
            let notified = |other: &Route| other.key == route.key;
            assert!(
                withdrawn.iter().chain(&after).any(notified),
                "{name}: nothing said that {route:?} went"
            );
        }
    }
}

/// Whether `gone` is the route or some of its next hops.
fn holds(route: &Route, gone: &Route) -> bool {
    let alike = route.key == gone.key
        && route.protocol == gone.protocol
        && route.set.route_type == gone.set.route_type;
    let next_hops = |route: &Route| match &route.set.next_hops {
        NextHopSource::Inline(hops) => hops.iter().map(alive).collect(),
        NextHopSource::Object(_) => vec![],
    };
    match (&route.set.next_hops, &gone.set.next_hops) {
        (NextHopSource::Inline(_), NextHopSource::Inline(_)) => {
            let held = next_hops(route);
            alike
                && next_hops(gone)
                    .iter()
                    .all(|next_hop| held.contains(next_hop))
        }
        (one, other) => alike && one == other,
    }
}

/// The next hop without its state and weight, which is 1 in a withdrawal of a single next hop.
fn alive(hop: &NextHop) -> NextHop {
    NextHop {
        dead: false,
        weight: 1,
        ..hop.clone()
    }
}

#[test]
fn links_are_what_iproute2_shows_afterwards() {
    for (capture, messages) in of(Kind::Notification) {
        let Capture { name, expected, .. } = &capture;
        let last: BTreeMap<u32, &LinkMessage> =
            links(&messages).map(|link| (link.index, link)).collect();
        for row in rows(&expected["after"], "links") {
            let link = last.get(&number(&row, "index"));
            let link = link.unwrap_or_else(|| panic!("{name}: nothing about {row}"));
            assert_eq!(link.action, Action::New, "{name}");
            assert_link(name, link, &row);
        }
        let deleted = links(&messages).filter(|link| link.action == Action::Delete);
        let deleted = deleted.map(|link| link.index).collect();
        assert_eq!(gone(expected, "links", "index"), deleted, "{name}");
    }
}

#[test]
fn next_hop_objects_are_what_iproute2_shows_afterwards() {
    for (capture, messages) in of(Kind::Notification) {
        let Capture { name, expected, .. } = &capture;
        if links(&messages).next().is_some() {
            // A link's objects are removed with it, also from groups, without a message.
            assert_eq!(next_hops(&messages).count(), 0, "{name}");
            continue;
        }
        let last: BTreeMap<u32, &NextHopMessage> = next_hops(&messages)
            .map(|object| (object.id, object))
            .collect();
        for row in rows(&expected["after"], "next_hops") {
            let object = last.get(&number(&row, "id"));
            let object = object.unwrap_or_else(|| panic!("{name}: nothing about {row}"));
            assert_eq!(object.action, Action::New, "{name}");
            assert_next_hop(name, object, &row);
        }
        let deleted = next_hops(&messages).filter(|object| object.action == Action::Delete);
        let deleted = deleted.map(|object| object.id).collect();
        assert_eq!(gone(expected, "next_hops", "id"), deleted, "{name}");
    }
}

/// What iproute2 showed before and not afterwards.
fn gone(expected: &Value, list: &str, key: &str) -> BTreeSet<u32> {
    let numbers = |state: &str| -> BTreeSet<u32> {
        let rows = rows(&expected[state], list);
        rows.iter().map(|row| number(row, key)).collect()
    };
    &numbers("before") - &numbers("after")
}

#[test]
fn the_header_tells_replace_and_append() {
    let mut seen = [0; 3];
    for (capture, messages) in of(Kind::Notification) {
        let Capture { name, .. } = &capture;
        let (_, command) = name.split_once(": ").unwrap();
        let verb = match command.split(' ').collect::<Vec<_>>()[..] {
            ["route", "replace", ..] => 0,
            ["route", "append", ..] => 1,
            ["route", "add" | "prepend", ..] => 2,
            _ => continue,
        };
        for message in &messages {
            assert_eq!(message.header.replace(), verb == 0, "{name}");
            assert_eq!(message.header.append(), verb == 1, "{name}");
            seen[verb] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 1), "{seen:?}");
}

#[test]
fn replies_hold_the_kernels_words() {
    let replies: Vec<_> = of(Kind::Reply).collect();
    assert_eq!(replies.len(), 5);
    for (Capture { name, expected, .. }, messages) in replies {
        let [message] = messages.as_slice() else {
            panic!("{name}: {messages:?}");
        };
        let Payload::Error { errno, text } = &message.payload else {
            panic!("{name}: {message:?}");
        };
        assert_eq!(
            Some(i64::from(*errno)),
            expected["errno"].as_i64(),
            "{name}"
        );
        assert_eq!(text.as_deref(), expected["text"].as_str(), "{name}");
    }
}

#[test]
fn messages_of_bridge_ports_are_not_links() {
    let skipped = of(Kind::Notification)
        .filter(|(capture, _)| capture.name.contains("master"))
        .flat_map(|(_, messages)| messages)
        .filter(|message| message.payload == Payload::Skipped(SkipReason::Family));
    assert!(skipped.count() >= 2);
}
