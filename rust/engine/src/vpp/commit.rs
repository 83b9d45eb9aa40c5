//! A batch on its way to VPP and back.

use std::collections::VecDeque;
use std::sync::Arc;

use ahash::AHashMap;
use bgpreflector_core::table::{Handle, Request, Table};
use bgpreflector_core::vpp::retval::Retval;
use bgpreflector_core::vpp::{EncodedPaths, Pending, RouteEncoder, RouteReply};
use crossbeam_channel::Sender;

use crate::error::VppError;
use crate::shared::Shared;

use super::bulk::{CommitReport, Failure};
use super::work::{Tools, Work};

/// Requests encoded under one lock of the table: the kernel reader waits no longer than that.
pub(super) const CHUNK: usize = 256;
/// Refusals that a report names.
pub(super) const FAILURES: usize = 100;

/// Encodes requests; each set of paths once.
pub(super) struct Encoder {
    message_id: u16,
    client_index: u32,
    routes: RouteEncoder,
    /// None where there is no message for them.
    paths: AHashMap<usize, (u32, Option<EncodedPaths>)>,
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

    /// Appends the request's message under the context that `context` gives; false, and nothing
    /// asked for, where there is no message for its paths.
    fn encode(
        &mut self,
        table: &Table,
        request: &Request,
        context: impl FnOnce() -> u32,
        out: &mut Vec<u8>,
    ) -> bool {
        if request.paths.is_none() {
            self.routes
                .delete(out, context(), request.vpp_table, &request.prefix);
            return true;
        }
        let index = request.paths.index();
        let known = self
            .paths
            .get(&index)
            .is_some_and(|(version, _)| *version == request.version);
        if !known {
            let encoded = table.paths(request.paths).map(EncodedPaths::new);
            if let Some(Err(error)) = &encoded {
                // Once for all routes with these paths.
                log::error!(
                    "{} and other routes with its paths cannot be put into a message to VPP, \
                     which is a bug: {error}",
                    request.prefix
                );
            }
            let encoded = encoded.and_then(Result::ok);
            self.paths.insert(index, (request.version, encoded));
        }
        let Some((_, Some(paths))) = self.paths.get(&index) else {
            return false;
        };
        self.routes
            .replace(out, context(), request.vpp_table, &request.prefix, paths);
        true
    }
}

/// A batch under way. What has no answer when it ends, however it ends, is dirty again.
pub(super) struct CommitJob {
    shared: Arc<Shared>,
    source: u8,
    waiting: VecDeque<Handle>,
    pending: Pending<Request>,
    answered: Vec<(Request, i32)>,
    report: CommitReport,
    reply: Sender<Result<CommitReport, VppError>>,
}

impl CommitJob {
    pub(super) fn new(
        shared: Arc<Shared>,
        handles: Vec<Handle>,
        source: u8,
        reply: Sender<Result<CommitReport, VppError>>,
    ) -> Self {
        Self {
            shared,
            source,
            waiting: handles.into(),
            pending: Pending::default(),
            answered: Vec::new(),
            report: CommitReport::default(),
            reply,
        }
    }

    fn encode_some(
        &mut self,
        table: &mut Table,
        tools: &mut Tools,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> usize {
        let mut sent = 0;
        for _ in 0..CHUNK {
            if sent == limit {
                break;
            }
            let Some(handle) = self.waiting.pop_front() else {
                break;
            };
            let Some(request) = table.begin_request(handle) else {
                self.report.unchanged += 1;
                continue;
            };
            let context = || self.pending.push(request);
            if tools.encoder.encode(table, &request, context, out) {
                sent += 1;
            } else {
                let Retval(retval) = Retval::NOT_ENCODABLE;
                table.acknowledge(&request, Err(retval));
                count(&mut self.report, &request, retval);
            }
        }
        sent
    }

    fn put_answers(&mut self) {
        if self.answered.is_empty() {
            return;
        }
        let answered = std::mem::take(&mut self.answered);
        let (report, counters) = (&mut self.report, &self.shared.vpp);
        self.shared.change(|table| {
            for (request, retval) in &answered {
                counters.answered(request, *retval);
                let outcome = if *retval == 0 { Ok(()) } else { Err(*retval) };
                table.acknowledge(request, outcome);
                count(report, request, *retval);
            }
        });
        self.answered = answered;
        self.answered.clear();
    }
}

impl Work for CommitJob {
    fn begin(&mut self, tools: &mut Tools) {
        tools.encoder.set_source(self.source);
    }

    fn pending(&self) -> usize {
        self.pending.len()
    }

    fn can_send(&self, window: usize) -> bool {
        !self.waiting.is_empty() && self.pending.len() < window
    }

    /// Prefixes for which nothing is to be done any more are passed over.
    fn encode(
        &mut self,
        tools: &mut Tools,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, VppError> {
        let shared = Arc::clone(&self.shared);
        Ok(shared.change(|table| self.encode_some(table, tools, out, limit)))
    }

    fn take(&mut self, tools: &Tools, id: u16, message: &[u8]) -> Result<(), VppError> {
        if id != tools.ids.route_reply {
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

    fn apply(&mut self, _tools: &Tools) {
        self.put_answers();
    }

    /// The batch ends with the answers to what was sent.
    fn hold(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            self.report.unsent += waiting.len();
            self.shared.change(|table| table.put_back(waiting));
        }
    }

    fn done(&self) -> bool {
        self.waiting.is_empty() && self.pending.is_empty()
    }

    fn report(mut self: Box<Self>, _tools: &Tools) {
        // Whoever asked may have gone meanwhile; the table knows all outcomes.
        let _ = self.reply.send(Ok(std::mem::take(&mut self.report)));
    }

    fn break_off(self: Box<Self>, _tools: &Tools, error: VppError) {
        let reply = self.reply.clone();
        drop(self);
        let _ = reply.send(Err(error));
    }
}

impl Drop for CommitJob {
    fn drop(&mut self) {
        self.put_answers();
        if self.done() {
            return;
        }
        let (pending, waiting) = (&mut self.pending, &mut self.waiting);
        self.shared.hand_back(|table| {
            for (_, request) in pending.drain() {
                table.abandon(&request);
            }
            table.put_back(waiting.drain(..));
        });
    }
}

fn count(report: &mut CommitReport, request: &Request, retval: i32) {
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
