//! A simulator in its own directory, and a client with blocking reads.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bgpreflector_core::vpp::bytes::message_id;
use bgpreflector_core::vpp::frame::{HEADER_LENGTH, begin_frame};
use bgpreflector_core::vpp::{
    FrameReader, MessageName, MessageTable, SockclntCreate, SockclntCreateReply, messages as m,
};
use bgpreflector_simulator::{Fault, Settings, Simulator, Statistics};

pub mod requests;

/// Time limit for any step of a test; nothing is asserted about it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A simulator, and the directory of its sockets.
pub struct Harness {
    pub simulator: Simulator,
    folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Harness {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vpp-simulator-{}-{number}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        std::fs::create_dir(&folder.0).unwrap();
        let mut settings = Settings::new(folder.0.join("api.sock"));
        change(&mut settings);
        let simulator = Simulator::start(settings).unwrap();
        Self { simulator, folder }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.0.join("api.sock")
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.socket())
    }

    pub fn order(&self, fault: Fault) {
        self.simulator.fault(fault).unwrap();
    }

    /// Waits until `wanted` holds for the statistics.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Statistics) -> bool) {
        let deadline = std::time::Instant::now() + TIMEOUT;
        while !wanted(&self.simulator.statistics()) {
            let late = std::time::Instant::now() > deadline;
            assert!(!late, "never: {what}; {:?}", self.simulator.statistics());
            std::thread::yield_now();
        }
    }
}

/// A client of VPP's socket API.
pub struct Client {
    stream: UnixStream,
    reader: FrameReader,
    pub index: u32,
    pub table: MessageTable,
    next_context: u32,
    /// Bytes received of messages that [`Self::try_receive`] has not returned.
    unread: usize,
}

/// The context of a reply or details message: the u32 behind the id.
pub fn reply_context(message: &[u8]) -> u32 {
    u32::from_be_bytes(*message[2..].first_chunk().unwrap())
}

impl Client {
    pub fn connect(socket: &Path) -> Self {
        let mut client = Self::without_handshake(socket);
        let mut frame = Vec::new();
        let (context, name) = (0x7c, "test".into());
        SockclntCreate { context, name }.encode(&mut frame).unwrap();
        client.send(&frame);
        let reply = SockclntCreateReply::decode(&client.receive()).unwrap();
        assert_eq!((reply.context, reply.response), (context, 0));
        client.index = reply.index;
        client.table = reply.table;
        client
    }

    pub fn without_handshake(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        Self {
            stream,
            reader: FrameReader::default(),
            index: 0,
            table: MessageTable::default(),
            next_context: 1,
            unread: 0,
        }
    }

    /// A second handle of the connection, to send from another thread.
    pub fn second_handle(&self) -> Self {
        Self {
            stream: self.stream.try_clone().unwrap(),
            reader: FrameReader::default(),
            index: self.index,
            table: self.table.clone(),
            next_context: u32::MAX / 2,
            unread: 0,
        }
    }

    /// A context that no earlier request had.
    pub fn context(&mut self) -> u32 {
        self.next_context += 1;
        self.next_context
    }

    pub fn id(&self, message: MessageName) -> u16 {
        self.table.id(message).unwrap()
    }

    /// The name of a received message.
    pub fn name(&self, message: &[u8]) -> String {
        let id = message_id(message).unwrap();
        self.table.name(id).unwrap().0.to_owned()
    }

    pub fn send(&mut self, frame: &[u8]) {
        self.stream.write_all(frame).unwrap();
    }

    /// The next message; panics if the connection has ended.
    pub fn receive(&mut self) -> Vec<u8> {
        self.try_receive().expect("the connection is closed")
    }

    /// The next message, or how many bytes of one had arrived when the connection ended.
    pub fn try_receive(&mut self) -> Result<Vec<u8>, usize> {
        loop {
            if let Some(message) = self.reader.next_message().unwrap() {
                self.unread -= HEADER_LENGTH + message.len();
                return Ok(message.to_vec());
            }
            let count = match self.stream.read(self.reader.spare()) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
                Err(error) => panic!("nothing came: {error}"),
            };
            if count == 0 {
                return Err(self.unread);
            }
            self.unread += count;
            self.reader.advance(count);
        }
    }

    /// Sends a request of these fields behind client index and context, which is returned.
    pub fn request(&mut self, message: MessageName, fields: &[u8]) -> u32 {
        let context = self.context();
        let mut frame = Vec::new();
        let start = begin_frame(&mut frame);
        frame.extend_from_slice(&self.id(message).to_be_bytes());
        frame.extend_from_slice(&self.index.to_be_bytes());
        frame.extend_from_slice(&context.to_be_bytes());
        frame.extend_from_slice(fields);
        start.finish(&mut frame);
        self.send(&frame);
        context
    }

    /// Sends a request and returns its only reply.
    pub fn call(&mut self, message: MessageName, fields: &[u8]) -> Vec<u8> {
        let context = self.request(message, fields);
        let reply = self.receive();
        assert_eq!(reply_context(&reply), context);
        reply
    }

    /// Pings, and returns what came before the answer.
    pub fn ping(&mut self) -> Vec<Vec<u8>> {
        let context = self.request(m::CONTROL_PING, &[]);
        let answer = self.id(m::CONTROL_PING_REPLY);
        let mut before = Vec::new();
        loop {
            let message = self.receive();
            let ours = reply_context(&message) == context;
            if ours && message_id(&message) == Some(answer) {
                return before;
            }
            before.push(message);
        }
    }
}
