//! A batch's requests for another client to send: the fallback for a VPP whose messages differ from
//! those that the encoder knows.

use std::sync::Arc;

use bgpreflector_core::route::PathSet;
use bgpreflector_core::table::Request;

use crate::batch::Batch;
use crate::batch_timer::BatchTimer;
use crate::state::EngineState;

/// Requests without an answer yet. Those that get none are dirty again when it is dropped.
pub struct Requests {
    shared: Arc<EngineState>,
    open: Vec<Option<Request>>,
    timer: Option<BatchTimer>,
}

impl Requests {
    /// Makes the requests that a batch needs now.
    #[must_use]
    pub fn open(shared: &Arc<EngineState>, batch: Batch) -> Self {
        let (open, timer) = shared.change(|table| {
            let (handles, timer) = batch.into_parts(table);
            let requests = handles.into_iter();
            let requests = requests.filter_map(|handle| table.begin_request(handle));
            let requests: Vec<Request> = requests.collect();
            // Those that may have crashed VPP go last.
            let (suspects, others): (Vec<_>, Vec<_>) =
                requests.into_iter().partition(|r| table.goes_alone(r));
            (
                others.into_iter().chain(suspects).map(Some).collect(),
                timer,
            )
        });
        Self {
            shared: Arc::clone(shared),
            open,
            timer,
        }
    }

    /// How many there are, answered or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// An open request and the desired paths, none to delete the prefix.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<(Request, Option<PathSet>)> {
        let request = *self.open.get(index)?.as_ref()?;
        let paths = self.shared.table().paths(request.paths).cloned();
        let faults = self.shared.faults();
        let survivable = |paths: PathSet| {
            let sent = faults.survivable(request.vpp_table, &request.prefix, &paths);
            Some(sent?.into_owned())
        };
        // What has no form that VPP survives is not among the requests.
        Some((request, paths.and_then(survivable)))
    }

    /// Records VPP's answer; returns whether the request was open.
    pub fn answer(&mut self, index: usize, retval: i32) -> bool {
        let Some(request) = self.open.get_mut(index).and_then(Option::take) else {
            return false;
        };
        let outcome = if retval == 0 { Ok(()) } else { Err(retval) };
        self.shared.vpp.answered(&request, retval);
        self.shared
            .change(|table| table.acknowledge(&request, outcome));
        true
    }
}

impl Requests {
    /// Records that VPP exited while only this request was unanswered; returns whether its prefix is
    /// held from now on.
    pub fn record_crash(&self, index: usize) -> bool {
        let open = self.open.get(index).and_then(Option::as_ref);
        open.is_some_and(|request| {
            let held = self.shared.change(|table| table.suspect(&[*request]));
            !held.is_empty()
        })
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        let open: Vec<Request> = self.open.drain(..).flatten().collect();
        if open.is_empty() {
            self.timer
                .take()
                .map(BatchTimer::answered)
                .unwrap_or_default();
        } else {
            self.shared.change_unless_poisoned(|table| {
                open.iter().for_each(|request| table.abandon(request))
            });
        }
    }
}
