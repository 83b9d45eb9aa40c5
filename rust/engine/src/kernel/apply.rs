//! Applies decoded messages to the table.

use std::time::Duration;

use bgpreflector_core::netlink::{
    Action, DecodeError, DecodeErrorKind, EncodedRoute, Header, LabelRouteMessage, LinkMessage,
    NextHopMessage, PartialMessage, Payload, RawMessage, RawMessages, SkipReason,
    SourceSpecificMessage,
};
use bgpreflector_core::route::{Family, NextHop, Route};
use bgpreflector_core::table::{
    Announcement, DumpScope, InsertMode, Link, NextHopObject, Table, Verify,
};

use crate::counters::KernelCounters;
use crate::deadline::earlier;
use crate::state::EngineState;

/// Effects of a buffer's messages besides their changes to the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// Where routes may have changed without a message.
    pub(super) to_verify: Option<DumpScope>,
    /// IPv6 routes were announced.
    pub(super) v6_announced: bool,
    /// IPv6 routes were withdrawn.
    pub(super) v6_withdrawn: bool,
    /// One of several routes with a key was replaced: the first, unless that was removed without a
    /// message.
    pub(super) replaced_among: bool,
    /// The kernel dropped messages.
    pub(super) overrun: bool,
    /// The time until the kernel may stop or begin to use a route, without a message.
    pub(super) expiry: Option<Duration>,
}

impl Effects {
    /// Both combined.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            to_verify: match (self.to_verify, other.to_verify) {
                (Some(a), Some(b)) => Some(a.union(b)),
                (a, b) => a.or(b),
            },
            v6_announced: self.v6_announced | other.v6_announced,
            v6_withdrawn: self.v6_withdrawn | other.v6_withdrawn,
            replaced_among: self.replaced_among | other.replaced_among,
            overrun: self.overrun | other.overrun,
            expiry: earlier(self.expiry, other.expiry),
        }
    }

    pub(super) fn verify(&mut self, verify: Verify) {
        match verify {
            Verify::Nothing => {}
            Verify::IfInconsistent => self.replaced_among = true,
            Verify::OfInterface(index) => self.verify_scope(DumpScope::interface(index)),
            Verify::OfEverything => self.verify_scope(DumpScope::Everything),
        }
    }

    /// Records that routes may have changed without a message.
    fn verify_scope(&mut self, dump_scope: DumpScope) {
        self.to_verify = Some(match self.to_verify.take() {
            Some(known) => known.union(dump_scope),
            None => dump_scope,
        });
    }
}

/// When to look again at a route whose lifetime has ended. Until the kernel removes it, half a minute
/// later at most, a program that adds it again gives it another lifetime without a message, and so does
/// the next advertisement of its router (`fib6_add_rt2node`, `ndisc_router_discovery`).
const REVIVAL_CHECK: Duration = Duration::from_secs(1);

/// Applies notifications to the table.
///
/// `object_request` is the last request about a next-hop object that a message named.
pub(super) fn notifications(
    shared: &EngineState,
    table: &mut Table,
    buffer: &[u8],
    object_request: &mut Option<RequestId>,
) -> Effects {
    let mut effects = Effects::default();
    for message in RawMessages::new(buffer) {
        let applied =
            message.and_then(|raw| one(shared, table, &raw, &mut effects, object_request));
        if let Err(error) = applied {
            // An undecodable message may have been about any route.
            malformed(shared, &error);
            effects.verify_scope(DumpScope::Everything);
        }
    }
    effects
}

pub(super) fn malformed(shared: &EngineState, error: &dyn std::fmt::Display) {
    KernelCounters::count(&shared.kernel.malformed);
    log::warn!(
        event = "message ignored", source = "kernel", error:%;
        "ignored a kernel message that cannot be decoded: {error}"
    );
}

fn one(
    shared: &EngineState,
    table: &mut Table,
    raw: &RawMessage<'_>,
    effects: &mut Effects,
    object_request: &mut Option<RequestId>,
) -> Result<(), DecodeError> {
    let payload = match raw.read_partial()? {
        PartialMessage::Announced(route) => {
            effects.v6_announced |= route.key.prefix.family() == Family::V6;
            effects.expiry = earlier(effects.expiry, expiry(&route));
            let verify = announcement(
                shared,
                table,
                &route,
                insert_mode(&raw.header, *object_request),
            );
            effects.verify(verify.map_err(|problem| raw.error(problem))?);
            return Ok(());
        }
        PartialMessage::Other(payload) => *payload,
    };
    match payload {
        Payload::Route(message) => {
            effects.v6_withdrawn |= message.route.key.prefix.family() == Family::V6;
            KernelCounters::count(&shared.kernel.route_withdrawals);
            effects.verify(table.withdraw(message.route));
        }
        Payload::SourceSpecific(message) => {
            // They are in the same tree, whose changes disturb a dump.
            match message.message.action {
                Action::New => effects.v6_announced = true,
                Action::Delete => effects.v6_withdrawn = true,
            }
            let insert_mode = insert_mode(&raw.header, *object_request);
            source_specific(shared, table, *message, insert_mode);
        }
        Payload::LabelRoute(message) => label_route(shared, table, *message),
        Payload::Link(link) => effects.verify(link_message(shared, table, &link)),
        // A change of an address revives or kills next hops without a message.
        Payload::Address { interface } => effects.verify(table.verify_link(interface)),
        Payload::NextHop(next_hop) => {
            if next_hop.action == Action::New {
                *object_request = Some(request_id(&raw.header));
            }
            effects.verify(next_hop_message(shared, table, &next_hop));
        }
        Payload::Overrun => effects.overrun = true,
        Payload::Skipped(reason) => shared.kernel.skip(reason),
        Payload::Rule(_) | Payload::Done(_) | Payload::Error { .. } | Payload::Noop => {}
    }
    Ok(())
}

/// When the kernel may begin or stop to use the route without a message; none if its lifetime has
/// no end.
pub(super) fn expiry(route: &EncodedRoute<'_>) -> Option<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    match u32::try_from(route.expires) {
        Ok(0) => None,
        // One tick more, since the kernel rounds down.
        Ok(ticks) => Some(TICK * ticks.saturating_add(1)),
        Err(_) => Some(REVIVAL_CHECK),
    }
}

/// `nlmsg_pid` and `nlmsg_seq`: those of the request that replaced a next-hop object are in the
/// messages about its routes, too.
pub(super) type RequestId = (u32, u32);

fn request_id(header: &Header) -> RequestId {
    (header.port, header.sequence)
}

fn insert_mode(header: &Header, object_request: Option<RequestId>) -> InsertMode {
    if header.replace() && object_request == Some(request_id(header)) {
        InsertMode::ReplacedObject
    } else if header.replace() {
        InsertMode::Replace
    } else if header.append() {
        InsertMode::Append
    } else {
        InsertMode::Prepend
    }
}

/// Applies a route that was announced or dumped.
pub(super) fn announcement(
    shared: &EngineState,
    table: &mut Table,
    route: &EncodedRoute<'_>,
    insert_mode: InsertMode,
) -> Result<Verify, DecodeErrorKind> {
    KernelCounters::count(&shared.kernel.route_announcements);
    table.announce_encoded(
        Announcement {
            key: route.key,
            protocol: route.protocol,
            expired: route.expires < 0,
        },
        route.set_bytes(),
        || route.read_set(),
        insert_mode,
    )
}

/// Applies a source-specific route, which is listed and counted alone.
pub(super) fn source_specific(
    shared: &EngineState,
    table: &mut Table,
    from: SourceSpecificMessage,
    insert_mode: InsertMode,
) {
    let SourceSpecificMessage {
        source, expired, ..
    } = from;
    let Route { key, protocol, set } = from.message.route;
    if from.message.action == Action::Delete {
        KernelCounters::count(&shared.kernel.route_withdrawals);
        table.withdraw_source_specific(source, key, protocol, set);
        return;
    }
    KernelCounters::count(&shared.kernel.route_announcements);
    let announcement = Announcement {
        key,
        protocol,
        expired,
    };
    if !table.announce_source_specific(source, announcement, set, insert_mode) {
        shared.kernel.skip(SkipReason::SourceSpecific);
    }
}

/// Applies a route by label, which is listed and counted alone.
pub(crate) fn label_route(shared: &EngineState, table: &mut Table, message: LabelRouteMessage) {
    match message.action {
        Action::New => {
            KernelCounters::count(&shared.kernel.route_announcements);
            if !table.announce_label(message.label, message.route) {
                shared.kernel.skip(SkipReason::Family);
            }
        }
        Action::Delete => {
            KernelCounters::count(&shared.kernel.route_withdrawals);
            table.withdraw_label(message.label);
        }
    }
}

/// Applies a route by label of a dump.
pub(super) fn dumped_label(shared: &EngineState, table: &mut Table, message: LabelRouteMessage) {
    KernelCounters::count(&shared.kernel.route_announcements);
    if !table.dumped_label(message.label, message.route) {
        shared.kernel.skip(SkipReason::Family);
    }
}

/// Returns what may have changed without a message: if a link goes up or down, the routes through
/// it.
fn link_message(shared: &EngineState, table: &mut Table, message: &LinkMessage) -> Verify {
    KernelCounters::count(&shared.kernel.links);
    let index = message.index;
    let was = table.link_of(index).map(|link| (link.up, link.carrier));
    let changed = message.action == Action::Delete || was != Some((message.up, message.carrier));
    // Before the link is removed, and with it the routes that show whether it concerns any.
    let verify = match changed {
        true => table.verify_link(index),
        false => Verify::Nothing,
    };
    match message.action {
        Action::New => table.link(index, link(message)),
        Action::Delete => table.remove_link(index),
    };
    verify
}

/// Applies a link of a dump.
pub(super) fn dumped_link(shared: &EngineState, table: &mut Table, message: &LinkMessage) {
    KernelCounters::count(&shared.kernel.links);
    table.dumped_link(message.index, link(message));
}

fn link(message: &LinkMessage) -> Link {
    let name = message.name.as_deref().map(ToString::to_string);
    Link {
        name: name.unwrap_or_default(),
        up: message.up,
        carrier: message.carrier,
        address: message.address,
        vrf_table: message.vrf_table,
    }
}

/// Applies a next-hop object of a dump.
pub(super) fn dumped_next_hop(shared: &EngineState, table: &mut Table, message: &NextHopMessage) {
    KernelCounters::count(&shared.kernel.next_hops);
    if let Some(object) = object(message) {
        table.dumped_next_hop(message.id, object);
    }
}

/// Returns what may have changed without a message.
fn next_hop_message(shared: &EngineState, table: &mut Table, message: &NextHopMessage) -> Verify {
    KernelCounters::count(&shared.kernel.next_hops);
    let id = message.id;
    match (message.action, object(message)) {
        (Action::New, Some(object)) => {
            // Only a dump shows what happens to routes by an object that is no longer a blackhole.
            let needs_dump = message.is_group || message.blackhole || table.is_blackhole(id);
            let verify = match needs_dump {
                true => table.verify_next_hop(id),
                false => Verify::Nothing,
            };
            table.next_hop(id, object);
            verify
        }
        (Action::New, None) => Verify::Nothing,
        (Action::Delete, _) => {
            let verify = table.verify_next_hop(id);
            table.remove_next_hop(id);
            verify
        }
    }
}

/// The object of a message; none if it is not for routes.
pub(crate) fn object(message: &NextHopMessage) -> Option<NextHopObject> {
    if message.is_group {
        return Some(NextHopObject::Group(message.group.to_vec()));
    }
    if message.blackhole {
        return Some(NextHopObject::Blackhole);
    }
    // Objects of a bridge's forwarding database (NHA_FDB) carry no route.
    let next_hop: NextHop = message.next_hop.clone().filter(|_| !message.fdb)?;
    Some(NextHopObject::Single(next_hop))
}
