//! A batch on its way to VPP and back.

use std::collections::VecDeque;

use ahash::AHashMap;
use bgpreflector_core::table::{Handle, Request, Table};
use bgpreflector_core::vpp::{EncodedPaths, Pending, RouteEncoder, RouteReply};
use crossbeam_channel::Sender;

use crate::error::VppError;
use crate::shared::Shared;

use super::bulk::{CommitReport, Failure};
use super::ids::Ids;

/// Requests encoded under one lock of the table: the kernel reader waits no longer than that.
pub(super) const CHUNK: usize = 256;
/// Refusals that a report names.
const FAILURES: usize = 100;

/// Encodes requests; each set of paths once.
pub(super) struct Encoder {
    message_id: u16,
    client_index: u32,
    routes: RouteEncoder,
    paths: AHashMap<usize, (u32, EncodedPaths)>,
}

impl Encoder {
    pub(super) fn new(message_id: u16, client_index: u32) -> Self {
        let routes = RouteEncoder::v2(message_id, client_index, 0);
        Self {
            message_id,
            client_index,
            routes,
            paths: AHashMap::new(),
        }
    }

    pub(super) fn set_source(&mut self, source: u8) {
        self.routes = RouteEncoder::v2(self.message_id, self.client_index, source);
    }

    fn encode(
        &mut self,
        table: &Table,
        request: &Request,
        context: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), VppError> {
        if request.paths.is_none() {
            self.routes
                .delete(out, context, request.vpp_table, &request.prefix);
            return Ok(());
        }
        let index = request.paths.index();
        let known = self
            .paths
            .get(&index)
            .is_some_and(|(version, _)| *version == request.version);
        if !known {
            let paths = table
                .paths(request.paths)
                .ok_or_else(|| VppError::Lost("a request names paths that are gone".into()))?;
            let encoded =
                EncodedPaths::new(paths).map_err(|error| VppError::Lost(error.to_string()))?;
            self.paths.insert(index, (request.version, encoded));
        }
        if let Some((_, paths)) = self.paths.get(&index) {
            self.routes
                .replace(out, context, request.vpp_table, &request.prefix, paths);
        }
        Ok(())
    }
}

/// A batch under way.
pub(super) struct CommitJob {
    waiting: VecDeque<Handle>,
    pending: Pending<Request>,
    answered: Vec<(Request, i32)>,
    report: CommitReport,
    reply: Sender<Result<CommitReport, VppError>>,
}

impl CommitJob {
    pub(super) fn new(handles: Vec<Handle>, reply: Sender<Result<CommitReport, VppError>>) -> Self {
        Self {
            waiting: handles.into(),
            pending: Pending::default(),
            answered: Vec::new(),
            report: CommitReport::default(),
            reply,
        }
    }

    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn can_send(&self, window: usize) -> bool {
        !self.waiting.is_empty() && self.pending.len() < window
    }

    pub(super) fn done(&self) -> bool {
        self.waiting.is_empty() && self.pending.is_empty()
    }

    /// Encodes up to `limit` requests; returns how many. Prefixes that need none are passed over.
    pub(super) fn encode(
        &mut self,
        shared: &Shared,
        encoder: &mut Encoder,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, VppError> {
        let mut table = shared.table();
        let mut sent = 0;
        for _ in 0..CHUNK {
            if sent == limit {
                break;
            }
            let Some(handle) = self.waiting.pop_front() else {
                break;
            };
            match table.begin_request(handle) {
                Some(request) => {
                    let context = self.pending.push(request);
                    encoder.encode(&table, &request, context, out)?;
                    sent += 1;
                }
                None => self.report.unchanged += 1,
            }
        }
        Ok(sent)
    }

    /// Gives back what is not sent yet: the batch ends with the answers to the rest.
    pub(super) fn put_back(&mut self, shared: &Shared) {
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            shared.change(|table| table.put_back(waiting));
        }
    }

    /// Takes note of a message from VPP.
    pub(super) fn take(&mut self, ids: &Ids, id: u16, message: &[u8]) -> Result<(), VppError> {
        if id != ids.route_reply {
            log::debug!("VPP sent message {id} while routes were sent");
            return Ok(());
        }
        let reply =
            RouteReply::decode(message).map_err(|error| VppError::Lost(error.to_string()))?;
        let request = self.pending.take(reply.context);
        let request = request.map_err(|error| VppError::Lost(error.to_string()))?;
        self.answered.push((request, reply.retval));
        Ok(())
    }

    /// Puts the answers into the table.
    pub(super) fn apply(&mut self, shared: &Shared) {
        if self.answered.is_empty() {
            return;
        }
        let answered = std::mem::take(&mut self.answered);
        shared.change(|table| {
            for (request, retval) in &answered {
                let outcome = if *retval == 0 { Ok(()) } else { Err(*retval) };
                table.acknowledge(request, outcome);
                self.count(request, *retval);
            }
        });
        self.answered = answered;
        self.answered.clear();
    }

    fn count(&mut self, request: &Request, retval: i32) {
        let report = &mut self.report;
        match (retval, request.paths.is_none(), request.installed) {
            (0, true, _) => report.deleted += 1,
            (0, false, true) => report.replaced += 1,
            (0, false, false) => report.added += 1,
            _ => {
                report.failed += 1;
                if report.failures.len() < FAILURES {
                    let Request {
                        vpp_table, prefix, ..
                    } = *request;
                    report.failures.push(Failure {
                        vpp_table,
                        prefix,
                        retval,
                    });
                }
            }
        }
    }

    pub(super) fn report(self) {
        // Whoever asked may have gone meanwhile; the table knows all outcomes.
        let _ = self.reply.send(Ok(self.report));
    }

    /// The connection has ended: all that has no answer is dirty again.
    pub(super) fn break_off(mut self, shared: &Shared, error: VppError) {
        self.apply(shared);
        shared.change(|table| {
            for (_, request) in self.pending.drain() {
                table.abandon(&request);
            }
            table.put_back(self.waiting.drain(..));
        });
        let _ = self.reply.send(Err(error));
    }
}
