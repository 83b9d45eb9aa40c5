//! Where orders are left for the worker, and the thread that waits for VPP.
//!
//! The thread does nearly all of the work. Whoever orders something while nobody is at work starts
//! it himself: what is sent then needs no other thread to wake up first. The thread is woken only
//! if it would miss something otherwise.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Sender;
use nix::poll::{PollFd, PollFlags};
use parking_lot::Mutex;

use crate::error::VppError;
use crate::heartbeat::{Heartbeat, Pulse};
use crate::kernel::Wake;
use crate::panics;
use crate::ready::{wait_readable, wait_ready};

use super::lost::Lost;
use super::work::Work;
use super::worker::Worker;

/// What the thread waits for.
#[derive(Clone, Copy, Debug)]
struct Watch {
    flags: PollFlags,
    /// None for ever.
    until: Option<Instant>,
}

impl Watch {
    fn of(worker: &Worker) -> Self {
        let now = Instant::now();
        let sleep = worker.sleep(now);
        Self {
            flags: worker.wants(),
            until: sleep.and_then(|longest| now.checked_add(longest)),
        }
    }

    /// Whether whoever waits for this comes in time for the other too.
    fn covers(self, other: Self) -> bool {
        let in_time = match (self.until, other.until) {
            (Some(this), Some(other)) => this <= other,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        in_time && self.flags.contains(other.flags)
    }
}

/// The worker, and what the thread waits for meanwhile.
struct Place {
    worker: Worker,
    watch: Watch,
}

/// The worker, for those who order and for the thread that waits.
pub(super) struct Desk {
    jobs: Sender<Box<dyn Work>>,
    /// None once the connection has ended.
    place: Mutex<Option<Place>>,
    wake: Wake,
    lost: Lost,
    heartbeat: Arc<Heartbeat>,
}

impl Desk {
    pub(super) fn new(jobs: Sender<Box<dyn Work>>, worker: Worker) -> io::Result<Self> {
        let watch = Watch::of(&worker);
        Ok(Self {
            jobs,
            place: Mutex::new(Some(Place { worker, watch })),
            wake: Wake::new()?,
            lost: Lost::default(),
            heartbeat: Arc::default(),
        })
    }

    /// Why the connection ended.
    pub(super) fn lost(&self) -> &Lost {
        &self.lost
    }

    /// The thread's.
    pub(super) fn heartbeat(&self) -> &Arc<Heartbeat> {
        &self.heartbeat
    }

    /// Whether the thread gets on. It does not wait for it.
    pub(super) fn pulse(&self) -> Pulse {
        self.heartbeat.pulse(|| match self.place.try_lock() {
            // Who has it is at work.
            None => true,
            Some(place) => {
                let worker = place.as_ref().map(|place| &place.worker);
                worker.is_some_and(|worker| worker.has_to_do(Instant::now()))
            }
        })
    }

    /// Leaves an order and starts it if nobody is at work. Where the connection has ended, the
    /// order is dropped.
    pub(super) fn order(&self, work: Box<dyn Work>) {
        // It fails where the worker is gone, and then whoever waits for the work is told.
        let _ = self.jobs.send(work);
        let started = self.place.try_lock().is_some_and(|mut place| {
            let _at_work = self.heartbeat.at_work();
            place.as_mut().is_none_or(|place| {
                // Whoever orders shall not break off for the worker's sake: the thread ends it.
                if let Err(reason) = panics::guarded(|| place.worker.start()) {
                    place.worker.fail(broke_off(&reason));
                    return false;
                }
                place.watch.covers(Watch::of(&place.worker))
            })
        });
        if !started {
            self.wake();
        }
    }

    /// Has the thread look again at what it is to do.
    pub(super) fn wake(&self) {
        self.wake.ring();
    }

    /// Waits for VPP and for orders, until the connection ends. `stream` is the connection's.
    ///
    /// A panic ends the connection alone: what of the table was under way counts as unknown then,
    /// as after any other end. A change of the table that broke off ends the engine
    /// ([`Shared::change`](crate::Shared::change)).
    pub(super) fn serve(&self, stream: UnixStream) {
        let ended = panics::guarded(|| self.turns(&stream));
        let error = ended.unwrap_or_else(|reason| broke_off(&reason));
        let _at_work = self.heartbeat.at_work();
        if let Some(place) = self.place.lock().take() {
            let ended = panics::guarded(|| place.worker.break_off(&error));
            if let Err(reason) = ended {
                log::error!("what was ordered of the bulk connection did not end well: {reason}");
            }
        }
        self.lost.set(error);
    }

    /// Why the connection ended.
    fn turns(&self, stream: &UnixStream) -> VppError {
        loop {
            match self.turn(stream) {
                Ok(true) => {}
                Ok(false) => return VppError::Closed,
                Err(error) => return error,
            }
        }
    }

    fn turn(&self, stream: &UnixStream) -> Result<bool, VppError> {
        let at_work = self.heartbeat.at_work();
        let Some((watch, pause)) = self.place.lock().as_mut().map(|place| {
            place.watch = Watch::of(&place.worker);
            (place.watch, place.worker.pause())
        }) else {
            return Ok(false);
        };
        drop(at_work);
        let lost = |error: io::Error| VppError::Lost(error.to_string());
        if pause.is_some() {
            wait_readable(&self.wake, pause).map_err(lost)?;
        }
        let longest = watch
            .until
            .map(|at| at.saturating_duration_since(Instant::now()));
        let mut waited = [
            PollFd::new(stream.as_fd(), watch.flags),
            PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
        ];
        wait_ready(&mut waited, longest).map_err(lost)?;
        let _at_work = self.heartbeat.at_work();
        self.wake.silence();
        let mut place = self.place.lock();
        place
            .as_mut()
            .map_or(Ok(false), |place| place.worker.turn())
    }
}

fn broke_off(reason: &str) -> VppError {
    log::error!("the bulk connection broke off, which is a bug: {reason}");
    VppError::Lost(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use nix::poll::PollFlags;

    use super::Watch;

    #[test]
    fn a_watch_covers_what_comes_later_and_wants_no_more() {
        let soon = Instant::now();
        let later = soon + Duration::from_secs(1);
        let (read, both) = (PollFlags::POLLIN, PollFlags::POLLIN | PollFlags::POLLOUT);
        let watch = |flags, until| Watch { flags, until };
        for (known, wanted, covered) in [
            (watch(read, Some(soon)), watch(read, Some(later)), true),
            (watch(read, Some(later)), watch(read, Some(soon)), false),
            (watch(read, Some(soon)), watch(read, None), true),
            (watch(read, None), watch(read, Some(later)), false),
            (watch(read, None), watch(read, None), true),
            (watch(both, None), watch(read, None), true),
            (watch(read, None), watch(both, None), false),
        ] {
            assert_eq!(known.covers(wanted), covered, "{known:?} {wanted:?}");
        }
    }
}
