//! Sends a batch to VPP and records the answers.

use std::collections::VecDeque;
use std::sync::Arc;

use bgpreflector_core::table::{Handle, Request, Table};
use bgpreflector_core::vpp::InFlight;
use bgpreflector_core::vpp::retval::Retval;
use crossbeam_channel::Sender;

use crate::error::VppError;
use crate::state::EngineState;

use super::route_reply::take_request;
use crate::vpp::encoder::{CHUNK, Encoder};
use crate::vpp::operation::{Context, Operation};
use crate::vpp::types::{CommitReport, Failure, MAX_FAILURES};

/// A batch in progress. However it ends, prefixes without an answer are dirty again.
pub(in crate::vpp) struct CommitOp {
    shared: Arc<EngineState>,
    source: u8,
    waiting: VecDeque<Handle>,
    /// Those that may have crashed VPP: sent last, and one at a time.
    suspects: VecDeque<Handle>,
    pending: InFlight<Request>,
    answered: Vec<(Request, i32)>,
    report: CommitReport,
    reply: Sender<Result<CommitReport, VppError>>,
}

impl CommitOp {
    pub(in crate::vpp) fn new(
        shared: Arc<EngineState>,
        handles: Vec<Handle>,
        source: u8,
        reply: Sender<Result<CommitReport, VppError>>,
    ) -> Self {
        Self {
            shared,
            source,
            waiting: handles.into(),
            suspects: VecDeque::new(),
            pending: InFlight::default(),
            answered: Vec::new(),
            report: CommitReport::default(),
            reply,
        }
    }

    fn encode_some(
        &mut self,
        table: &mut Table,
        context: &mut Context,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> usize {
        let mut sent = 0;
        for _ in 0..CHUNK {
            if sent == limit {
                break;
            }
            let (handle, alone) = match self.waiting.pop_front() {
                Some(handle) => (handle, false),
                None if !self.pending.is_empty() => break,
                None => match self.suspects.pop_front() {
                    Some(handle) => (handle, true),
                    None => break,
                },
            };
            let Some(request) = table.begin_request(handle) else {
                self.report.unchanged += 1;
                continue;
            };
            if !alone && table.goes_alone(&request) {
                table.postpone(&request);
                self.suspects.push_back(handle);
                continue;
            }
            let answer_context = || self.pending.push(request);
            if context.encoder.encode(table, &request, answer_context, out) {
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

impl Operation for CommitOp {
    fn begin(&mut self, context: &mut Context) {
        context.encoder.begin(self.source, self.shared.faults());
    }

    fn pending(&self) -> usize {
        self.pending.len()
    }

    fn can_send(&self, max_in_flight: usize) -> bool {
        match self.waiting.is_empty() {
            false => self.pending.len() < max_in_flight,
            true => !self.suspects.is_empty() && self.pending.is_empty(),
        }
    }

    /// Skips prefixes that no longer need a request.
    fn encode(
        &mut self,
        context: &mut Context,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, VppError> {
        let shared = Arc::clone(&self.shared);
        Ok(shared.change(|table| self.encode_some(table, context, out, limit)))
    }

    fn on_message(&mut self, context: &Context, id: u16, message: &[u8]) -> Result<(), VppError> {
        if id != context.ids.route_reply {
            log::debug!(
                event = "unexpected message", message = id, during = "commit";
                "unexpected message {id} from VPP during a commit"
            );
            return Ok(());
        }
        let answered = take_request(&mut self.pending, message)?;
        self.answered.push(answered);
        Ok(())
    }

    fn on_read_end(&mut self, _context: &Context) {
        self.put_answers();
    }

    /// The batch ends with the answers to what was sent.
    fn cancel_unsent(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.append(&mut self.suspects);
        if !waiting.is_empty() {
            self.report.unsent += waiting.len();
            self.shared.change(|table| table.requeue(waiting));
        }
    }

    fn done(&self) -> bool {
        self.waiting.is_empty() && self.suspects.is_empty() && self.pending.is_empty()
    }

    fn complete(mut self: Box<Self>, _context: &Context) {
        // The caller may have given up; the table has all results.
        let _ = self.reply.send(Ok(std::mem::take(&mut self.report)));
    }

    fn fail(mut self: Box<Self>, context: &Context, error: VppError) {
        let reply = self.reply.clone();
        self.put_answers();
        if matches!(error, VppError::HungUp(_)) {
            let pending = self.pending.drain().map(|(_, request)| request).collect();
            let encoder = Encoder::new(context.ids.route, context.client_index);
            suspected(&self.shared, encoder, self.source, pending);
        }
        drop(self);
        let _ = reply.send(Err(error));
    }
}

impl Drop for CommitOp {
    fn drop(&mut self) {
        self.put_answers();
        if self.done() {
            return;
        }
        self.waiting.append(&mut self.suspects);
        let (pending, waiting) = (&mut self.pending, &mut self.waiting);
        self.shared.change_unless_poisoned(|table| {
            for (_, request) in pending.drain() {
                table.abandon(&request);
            }
            table.requeue(waiting.drain(..));
        });
    }
}

/// Handles the requests that were unanswered when VPP exited.
fn suspected(shared: &EngineState, mut encoder: Encoder, source: u8, pending: Vec<Request>) {
    encoder.begin(source, shared.faults());
    shared.change(|table| {
        for request in table.suspect(&pending) {
            let mut frame = Vec::new();
            encoder.encode(table, &request, || 0, &mut frame);
            log_crash(table, &request, &frame);
        }
        pending.iter().for_each(|request| table.abandon(request));
    });
}

/// Logged once for each held route: all that a bug report to VPP needs.
fn log_crash(table: &Table, request: &Request, frame: &[u8]) {
    let Request {
        vpp_table, prefix, ..
    } = request;
    let message: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    log::error!(
        event = "route held", reason = "crashed_vpp", prefix:%, vpp_table = *vpp_table;
        "VPP exited three times while the route {prefix} in VPP table {vpp_table} had no answer, the \
         last time with nothing else under way: it is held (crashed_vpp) until `bgpreflector release \
         {prefix}` or until VPP has another version. For a report of the fault to VPP: \
         ip_route_add_del_v2, paths {:?}, frame {message}",
        table.paths(request.paths)
    );
}

fn count(report: &mut CommitReport, request: &Request, retval: i32) {
    match (retval, request.paths.is_none(), request.installed) {
        (0, true, _) => report.deleted += 1,
        (0, false, true) => report.replaced += 1,
        (0, false, false) => report.added += 1,
        _ => {
            report.failed += 1;
            if report.failures.len() < MAX_FAILURES {
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
