use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
};
use bgpreflector_core::table::{InsertMode, Interfaces, Scope, Unmapped};
use bgpreflector_core::vpp::retval::Retval;
use bgpreflector_core::vpp::{FrameReader, MessageTable, messages};

use crossbeam_channel::Receiver;

use super::super::operation::Context;
use super::*;
use crate::heartbeat::tests::still;

/// A connection, and VPP's silent end of it.
fn connection() -> (BulkConnection, UnixStream) {
    let (stream, vpp) = UnixStream::pair().unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut table = MessageTable::default();
    for (id, message) in (100..).zip(messages::ALL) {
        table.insert(&message.to_string(), id);
    }
    let session = Session {
        stream,
        reader: FrameReader::default(),
        client_index: 0,
        messages: table,
    };
    let settings = BulkSettings {
        socket: PathBuf::new(),
        name: String::new(),
        max_in_flight: 16,
        connect_timeout: Duration::from_secs(1),
        request_timeout: Duration::from_secs(60),
        keepalive_interval: Duration::ZERO,
        rate_limit: None,
    };
    let shared = Arc::new(EngineState::new(Scope::default()));
    shared.synchronised();
    (
        BulkConnection::start(shared, session, &settings).unwrap(),
        vpp,
    )
}

/// Where an operation panics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Encode,
    CanSend,
    Change,
    Fail,
}

struct Faulty {
    at: At,
    reply: Sender<Result<(), VppError>>,
}

impl Operation for Faulty {
    fn pending(&self) -> usize {
        1
    }

    fn can_send(&self, _max_in_flight: usize) -> bool {
        self.at != At::CanSend
    }

    fn encode(
        &mut self,
        context: &mut Context,
        _out: &mut Vec<u8>,
        _limit: usize,
    ) -> Result<usize, VppError> {
        match self.at {
            At::Change => context.shared.change(|_| panic!("injected")),
            At::Fail => Err(VppError::Lost("as asked".into())),
            At::Encode | At::CanSend => panic!("injected"),
        }
    }

    fn on_message(&mut self, _: &Context, _: u16, _: &[u8]) -> Result<(), VppError> {
        Ok(())
    }

    fn cancel_unsent(&mut self) {
        panic!("injected");
    }

    fn done(&self) -> bool {
        false
    }

    fn complete(self: Box<Self>, _context: &Context) {}

    fn fail(self: Box<Self>, _context: &Context, error: VppError) {
        assert_ne!(self.at, At::Fail, "injected");
        let _ = self.reply.send(Err(error));
    }
}

#[test]
fn an_operation_that_panics_ends_the_connection_with_the_reason() {
    for at in [At::Encode, At::CanSend, At::Change, At::Fail] {
        let (connection, _vpp) = connection();
        let ended = std::thread::scope(|scope| {
            let ask = scope.spawn(|| connection.run(|reply| Faulty { at, reply }));
            if at == At::CanSend {
                // The connection's own thread runs it.
                connection.set_paused(true);
            }
            ask.join().unwrap()
        });
        assert!(ended.is_err(), "{at:?}: {ended:?}");
        let lost = connection.wait_lost().to_string();
        let said = match at {
            At::Fail => "as asked",
            _ => "panicked: injected",
        };
        assert!(lost.contains(said), "{at:?}: {lost}");
        let failure = connection.shared.failure().unwrap_or_default();
        // A new connection reads what VPP has, so a panic outside of the table only ends the
        // connection; a half-changed table ends the engine.
        assert_eq!(failure.contains(said), at == At::Change, "{failure}");
    }
}

/// An operation that blocks until the sender is dropped.
struct Hanging {
    end: Receiver<()>,
    reply: Sender<Result<(), VppError>>,
}

impl Operation for Hanging {
    fn pending(&self) -> usize {
        0
    }

    fn can_send(&self, _max_in_flight: usize) -> bool {
        true
    }

    fn encode(
        &mut self,
        _: &mut Context,
        _out: &mut Vec<u8>,
        _limit: usize,
    ) -> Result<usize, VppError> {
        let _ = self.end.recv();
        Err(VppError::Lost("it went on".into()))
    }

    fn on_message(&mut self, _: &Context, _: u16, _: &[u8]) -> Result<(), VppError> {
        Ok(())
    }

    fn cancel_unsent(&mut self) {}

    fn done(&self) -> bool {
        false
    }

    fn complete(self: Box<Self>, _context: &Context) {}

    fn fail(self: Box<Self>, _context: &Context, error: VppError) {
        let _ = self.reply.send(Err(error));
    }
}

#[test]
fn a_connection_that_hangs_is_seen_to_have_work() {
    let (connection, _vpp) = connection();
    let rest = still(|| connection.liveness(), false);
    let (end, hangs) = bounded::<()>(0);
    std::thread::scope(|scope| {
        let ask = scope.spawn(|| connection.run(|reply| Hanging { end: hangs, reply }));
        let hung = still(|| connection.liveness(), true);
        // It hangs even after a hang-up, and the liveness shows it.
        connection.hang_up();
        assert_eq!(connection.heartbeat().liveness(|| false), hung);
        drop(end);
        assert!(ask.join().unwrap().is_err());
    });
    drop(connection.wait_lost());
    assert!(still(|| connection.liveness(), false).beats > rest.beats);
}

fn enter(shared: &EngineState, number: u32, labels: &[u32]) {
    let hop = NextHop {
        labels: labels.iter().copied().collect(),
        ..NextHop::new("10.0.0.1".parse().ok(), 2)
    };
    let set = NextHopSet::new(
        Family::V4,
        RouteType::Unicast,
        NextHopSource::Inline([hop].into_iter().collect()),
    );
    let key = RouteKey::new(254, Prefix::v4(number << 8, 24));
    let route = Route {
        key,
        protocol: 12,
        set,
    };
    shared.change(|table| table.announce(route, InsertMode::Replace));
}

#[test]
fn a_route_that_has_no_message_is_refused_alone() {
    let (connection, _vpp) = connection();
    let shared = Arc::clone(&connection.shared);
    shared.change(|table| {
        table.set_interfaces(Interfaces {
            unmapped: Unmapped::Interface(1),
            ..Interfaces::default()
        });
    });
    // A label has 20 bits; the kernel sends no larger ones.
    enter(&shared, 1, &[1 << 20]);
    enter(&shared, 2, &[1 << 20]);
    let report = connection.commit(Batch::take(&shared, 10), 8).unwrap();
    let Retval(retval) = Retval::NOT_ENCODABLE;
    let retvals: Vec<i32> = report.failures.iter().map(|f| f.retval).collect();
    assert_eq!((report.failed, retvals), (2, vec![retval; 2]));
    assert_eq!(shared.table().counts(Family::V4).rejected, 2);
    assert!(connection.lost().is_none());
}
