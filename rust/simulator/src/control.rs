//! Control commands on a separate socket: one JSON object per line, each answered by one.
//!
//! `{"fault": "stall", "on": true}` injects a [`Fault`]; `{"query": "statistics"}` returns
//! statistics.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::remote::Remote;

/// Maximum length of a command in bytes.
const MAX_LENGTH: u64 = 64 * 1024;

#[derive(Deserialize)]
#[serde(untagged)]
enum Command {
    Fault(Fault),
    Query { query: Query },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Query {
    Statistics,
}

pub(crate) fn serve(listener: &UnixListener, remote: &Remote, stop: &AtomicBool) {
    if let Err(error) = listener.set_nonblocking(false) {
        log::error!("the control socket failed: {error}");
        return;
    }
    let open: Mutex<BTreeMap<u64, UnixStream>> = Mutex::default();
    let open = &open;
    std::thread::scope(|scope| {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept() {
            if stop.load(Ordering::Acquire) {
                break;
            }
            let Ok(kept) = stream.try_clone() else {
                continue;
            };
            number += 1;
            open.lock().insert(number, kept);
            scope.spawn(move || {
                if let Err(error) = serve_client(&stream, remote) {
                    log::debug!("a control connection failed: {error}");
                }
                open.lock().remove(&number);
            });
        }
        // Ends the threads that still read from a client.
        for stream in open.lock().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
}

fn serve_client(stream: &UnixStream, remote: &Remote) -> std::io::Result<()> {
    use std::io::Read as _;
    let mut reader = BufReader::new(stream.take(MAX_LENGTH));
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let answer = answer(&line, remote);
        let mut out: &UnixStream = stream;
        writeln!(out, "{answer}")?;
        line.clear();
        reader.get_mut().set_limit(MAX_LENGTH);
    }
    Ok(())
}

fn answer(line: &str, remote: &Remote) -> Value {
    match serde_json::from_str(line) {
        Ok(Command::Fault(fault)) => match remote.fault(fault) {
            Ok(()) => json!({"ok": true}),
            Err(error) => json!({"ok": false, "error": error.to_string()}),
        },
        Ok(Command::Query {
            query: Query::Statistics,
        }) => {
            json!({"ok": true, "statistics": remote.statistics()})
        }
        Err(error) => json!({"ok": false, "error": format!("invalid command: {error}")}),
    }
}
