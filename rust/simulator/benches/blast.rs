//! Ready-made route requests, as fast as the socket takes them: adds, replaces and deletes of a
//! table, and a dump of it, in requests (or routes) a second.
//!
//! `cargo harness -p bgpreflector-simulator --harness blast -- [ROUTES]`
#![allow(clippy::unwrap_used, reason = "a benchmark may fail loudly")]

use std::io::{Read, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use bgpreflector_core::route::{Family, Path, PathSet, PathType, Prefix};
use bgpreflector_core::vpp::{
    EmptyRequest, EncodedPaths, FibSource, FibSourceAdd, FibSourceAddReply, FrameReader,
    MessageTable, RouteDump, RouteEncoder, SockclntCreate, SockclntCreateReply, messages as m,
};
use bgpreflector_simulator::{Settings, Simulator};

const SETS: u32 = 64;
const DEFAULT_ROUTES: u32 = 1_000_000;

struct Client {
    stream: UnixStream,
    reader: FrameReader,
    index: u32,
    table: MessageTable,
}

impl Client {
    fn connect(path: &std::path::Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        let mut client = Self {
            stream,
            reader: FrameReader::default(),
            index: 0,
            table: MessageTable::default(),
        };
        let mut out = Vec::new();
        let name = "blast".into();
        SockclntCreate { context: 1, name }
            .encode(&mut out)
            .unwrap();
        client.stream.write_all(&out).unwrap();
        let reply = client.next(|payload| SockclntCreateReply::decode(payload).unwrap());
        client.index = reply.index;
        client.table = reply.table;
        client
    }

    fn next<T>(&mut self, read: impl Fn(&[u8]) -> T) -> T {
        loop {
            if let Some(message) = self.reader.next_message().unwrap() {
                return read(message);
            }
            let count = self.stream.read(self.reader.spare()).unwrap();
            assert!(count > 0, "the simulator closed");
            self.reader.advance(count);
        }
    }

    fn source(&mut self) -> u8 {
        let source = FibSource {
            priority: 200,
            id: 0,
            name: "blast".into(),
        };
        let (client_index, context) = (self.index, 2);
        let mut out = Vec::new();
        let request = FibSourceAdd {
            client_index,
            context,
            source,
        };
        request
            .encode(self.table.id(m::FIB_SOURCE_ADD).unwrap(), &mut out)
            .unwrap();
        self.stream.write_all(&out).unwrap();
        self.next(|payload| FibSourceAddReply::decode(payload).unwrap().id)
    }

    /// Sends `bytes` from a thread while this one reads `replies` messages; seconds taken.
    fn exchange(&mut self, bytes: &[u8], replies: u32) -> f64 {
        let mut writer = self.stream.try_clone().unwrap();
        let began = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(move || writer.write_all(bytes).unwrap());
            for _ in 0..replies {
                self.next(|_| ());
            }
        });
        began.elapsed().as_secs_f64()
    }
}

fn sets() -> Vec<EncodedPaths> {
    let path = |n: u32| Path {
        next_hop: Some(IpAddr::from((0x0a00_0001 + n).to_be_bytes())),
        sw_if_index: 1 + n % 2,
        ..Path::new(PathType::Normal, Family::V4)
    };
    let set = |n| EncodedPaths::new(&PathSet::new(vec![path(n)])).unwrap();
    (0..SETS).map(set).collect()
}

fn main() {
    let wanted = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let routes: u32 = wanted.unwrap_or(DEFAULT_ROUTES);
    let folder = std::env::temp_dir().join(format!("blast-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut simulator = Simulator::start(Settings::new(folder.join("api.sock"))).unwrap();
    let mut client = Client::connect(&folder.join("api.sock"));
    let source = client.source();
    let id = client.table.id(m::IP_ROUTE_ADD_DEL_V2).unwrap();
    let encoder = RouteEncoder::new(id, client.index, source);
    let prefix = |n: u32| Prefix::v4(0x0100_0000 + (n << 8), 24);
    let sets = sets();
    let set = |n: u32| sets.get((n % SETS) as usize).unwrap();
    let pass = |client: &mut Client, what: &str, shift: Option<u32>| {
        let mut out = Vec::new();
        for n in 0..routes {
            match shift {
                Some(shift) => encoder.replace(&mut out, n, 0, &prefix(n), set(n + shift)),
                None => encoder.delete(&mut out, n, 0, &prefix(n)),
            }
        }
        let seconds = client.exchange(&out, routes);
        println!(
            "{what:8} {:>10.0} requests a second",
            f64::from(routes) / seconds
        );
    };
    pass(&mut client, "add", Some(0));
    pass(&mut client, "replace", Some(1));
    let mut out = Vec::new();
    let (client_index, context) = (client.index, 3);
    let family = Family::V4;
    let dump = RouteDump {
        client_index,
        context,
        source,
        table: 0,
        family,
    };
    dump.encode(client.table.id(m::IP_ROUTE_V2_DUMP).unwrap(), &mut out);
    let ping = EmptyRequest {
        client_index,
        context,
    };
    ping.encode(client.table.id(m::CONTROL_PING).unwrap(), &mut out);
    let seconds = client.exchange(&out, routes + 1);
    println!(
        "{:8} {:>10.0} routes a second",
        "dump",
        f64::from(routes) / seconds
    );
    pass(&mut client, "delete", None);
    simulator.stop();
    std::fs::remove_dir_all(&folder).unwrap();
}
