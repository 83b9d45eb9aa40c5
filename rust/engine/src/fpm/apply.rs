//! Applies frames to the table.

use bgpreflector_core::fpm::NextHopIds;
use bgpreflector_core::netlink::{
    Action, DecodeError, DecodeErrorKind, EncodedRoute, NextHopMessage, PartialMessage, Payload,
    RawMessage, RawMessages, SkipReason,
};
use bgpreflector_core::route::{Prefix, RouteKey};
use bgpreflector_core::table::{Announcement, Table};

use crate::counters::KernelCounters;
use crate::kernel::{label_route, next_hop_object};
use crate::state::EngineState;

use super::initial_routes::InitialRoutes;

/// Results of frames besides their changes to the table.
#[derive(Debug, Default)]
pub(super) struct Effects<'a> {
    /// The initial routes, until they have been shown.
    pub(super) initial: Option<&'a mut InitialRoutes>,
    /// The error of an undecodable message, which may have been about any route.
    pub(super) malformed: Option<DecodeError>,
}

/// Applies the messages of one frame to the table.
pub(super) fn frame(
    shared: &EngineState,
    table: &mut Table,
    ids: &mut NextHopIds,
    messages: &[u8],
    effects: &mut Effects<'_>,
) {
    let mut frame = Frame {
        shared,
        table,
        ids,
        withdrawn: None,
    };
    for message in RawMessages::new(messages) {
        if let Err(error) = message.and_then(|raw| frame.message(&raw, effects)) {
            KernelCounters::count(&shared.kernel.malformed);
            effects.malformed = Some(error);
        }
    }
    frame.withdraw();
}

struct Frame<'a> {
    shared: &'a EngineState,
    table: &'a mut Table,
    ids: &'a mut NextHopIds,
    /// A withdrawal that the next message may complete to a replacement: zebra sends both in one
    /// frame, and VPP must forward without a gap.
    withdrawn: Option<(u32, Prefix)>,
}

impl Frame<'_> {
    fn message(
        &mut self,
        raw: &RawMessage<'_>,
        effects: &mut Effects<'_>,
    ) -> Result<(), DecodeError> {
        let payload = match raw.read_partial()? {
            PartialMessage::Announced(route) => {
                if let Some(initial) = &mut effects.initial {
                    initial.announced(self.table, route.key.table, route.key.prefix);
                }
                return self.announce(&route).map_err(|problem| raw.error(problem));
            }
            PartialMessage::Other(payload) => *payload,
        };
        self.withdraw();
        match payload {
            Payload::Route(message) => {
                let RouteKey { table, prefix, .. } = message.route.key;
                if let Some(initial) = &mut effects.initial {
                    initial.withdrawn(self.table, table, prefix);
                }
                KernelCounters::count(&self.shared.kernel.route_withdrawals);
                self.withdrawn = Some((table, prefix));
            }
            Payload::NextHop(message) => self.next_hop(message),
            Payload::Done(_) => {
                if let Some(initial) = &mut effects.initial {
                    initial.end_marker();
                }
            }
            // Not a sign that zebra has prefixes, too: it sends these first.
            Payload::LabelRoute(message) => label_route(self.shared, self.table, *message),
            Payload::SourceSpecific(_) => self.shared.kernel.skip(SkipReason::SourceSpecific),
            Payload::Skipped(reason) => self.shared.kernel.skip(reason),
            // The kernel is the source of links, addresses and rules.
            Payload::Link(_)
            | Payload::Address { .. }
            | Payload::Rule(_)
            | Payload::Overrun
            | Payload::Error { .. }
            | Payload::Noop => {}
        }
        Ok(())
    }

    fn announce(&mut self, route: &EncodedRoute<'_>) -> Result<(), DecodeErrorKind> {
        KernelCounters::count(&self.shared.kernel.route_announcements);
        let announcement = Announcement {
            key: route.key,
            protocol: route.protocol,
            expired: false,
        };
        let ids = &mut self.ids;
        let read = || route.read_set().map(|set| ids.translate_set(set));
        let entered = self
            .table
            .announce_only(announcement, route.set_bytes(), read);
        if entered.is_ok() && self.withdrawn == Some((route.key.table, route.key.prefix)) {
            self.withdrawn = None;
        }
        self.withdraw();
        entered
    }

    fn withdraw(&mut self) {
        if let Some((table, prefix)) = self.withdrawn.take() {
            self.table.withdraw_only(table, &prefix);
        }
    }

    fn next_hop(&mut self, mut message: NextHopMessage) {
        KernelCounters::count(&self.shared.kernel.next_hops);
        self.ids.translate(&mut message);
        match (message.action, next_hop_object(&message)) {
            (Action::New, Some(object)) => self.table.next_hop(message.id, object),
            (Action::New, None) => {}
            (Action::Delete, _) => {
                self.table.remove_next_hop(message.id);
            }
        }
    }
}
