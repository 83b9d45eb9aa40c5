//! Any bytes as what zebra sends: what the fuzz target and the seeded run hold to.

use std::convert::Infallible;

use bgpreflector_core::fpm::{FpmFrameError, FpmFrameReader, NextHopIds, encode_result};
use bgpreflector_core::netlink::{Messages, PartialMessage, Payload, RawMessages};
use bgpreflector_core::route::{Family, NextHopSource, RouteType};
use bgpreflector_core::table::{Announcement, RouteSource, Scope, Table};

/// No panic, the cuts do not matter, and the result for a decoded route decodes again. The
/// first byte selects how the stream is cut.
pub fn check(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else {
        return;
    };
    let whole = frames([stream]);
    let cut_up = frames(stream.chunks(usize::from(*cut).max(1)));
    assert_eq!(whole, cut_up);
    let mut table = Table::new(Scope {
        source: RouteSource::Fpm,
        protocols: (0..=255).collect(),
        ..Scope::default()
    });
    let mut ids = NextHopIds::default();
    table.begin_results();
    for connection in 0..2 {
        ids.begin(table.next_hop_ids());
        table.begin_connection();
        for frame in &whole.0 {
            enter(&mut table, &mut ids, frame);
        }
        if connection == 1 {
            table.end_resync(&Family::ALL);
            for number in ids.forget_previous() {
                table.remove_next_hop(number);
            }
        }
    }
    commit(&mut table);
    for result in table.take_results(1 << 16) {
        encode_and_decode(&result.route, result.installed);
    }
}

/// The frames of a stream, and the error that ended it.
fn frames<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<FpmFrameError>) {
    let mut reader = FpmFrameReader::default();
    let mut all = Vec::new();
    for mut part in parts {
        while !part.is_empty() {
            let spare = reader.spare();
            let length = spare.len().min(part.len());
            let (now, later) = part.split_at(length);
            spare[..length].copy_from_slice(now);
            reader.advance(length);
            part = later;
            loop {
                match reader.next_frame() {
                    Ok(Some(frame)) => all.push(frame.to_vec()),
                    Ok(None) => break,
                    Err(error) => return (all, Some(error)),
                }
            }
        }
    }
    (all, None)
}

fn enter(table: &mut Table, ids: &mut NextHopIds, frame: &[u8]) {
    for raw in RawMessages::new(frame).flatten() {
        match raw.read_partial() {
            Ok(PartialMessage::Announced(route)) => {
                let Ok(set) = route.read_set() else { continue };
                let announcement = Announcement {
                    key: route.key,
                    protocol: route.protocol,
                    expired: false,
                };
                let read = || Ok::<_, Infallible>(ids.translate_set(set));
                let Ok(()) = table.announce_only(announcement, route.set_bytes(), read);
            }
            Ok(PartialMessage::Other(body)) => match *body {
                Payload::Route(message) => {
                    table.withdraw_only(message.route.key.table, &message.route.key.prefix);
                }
                Payload::NextHop(mut message) => {
                    ids.translate(&mut message);
                    table.remove_next_hop(message.id);
                }
                _ => {}
            },
            Err(_) => {}
        }
    }
}

fn commit(table: &mut Table) {
    for handle in table.take_dirty(usize::MAX).handles {
        if let Some(request) = table.begin_request(handle) {
            table.acknowledge(&request, Ok(()));
        }
    }
}

fn encode_and_decode(route: &bgpreflector_core::route::Route, installed: bool) {
    let mut out = Vec::new();
    if !encode_result(route, installed, &mut out) {
        assert!(out.is_empty());
        return;
    }
    let (frames, error) = frames([out.as_slice()]);
    assert_eq!((frames.len(), error), (1, None));
    let mut messages = Messages::new(&frames[0]);
    let message = messages.next().unwrap().unwrap();
    let Payload::Route(said) = message.payload else {
        panic!("{message:?}");
    };
    assert_eq!(
        (said.route.key, said.route.protocol),
        (route.key, route.protocol)
    );
    // Other types have no next hops, whatever they were announced with.
    let unicast = route.set.route_type == RouteType::Unicast;
    if let (true, NextHopSource::Object(_)) = (unicast, &route.set.next_hops) {
        assert_eq!(said.route.set.next_hops, route.set.next_hops);
    }
    assert!(messages.next().is_none());
}
