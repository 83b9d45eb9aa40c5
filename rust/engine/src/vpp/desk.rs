//! Where orders are left for the worker, and the thread that waits for VPP.
//!
//! The thread does nearly all of the work. Whoever orders something while nobody is at work starts
//! it himself: what is sent then needs no other thread to wake up first.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use crossbeam_channel::Sender;
use nix::poll::{PollFd, PollFlags};
use parking_lot::Mutex;

use crate::error::VppError;
use crate::kernel::Wake;
use crate::ready::wait_ready;

use super::lost::Lost;
use super::work::Work;
use super::worker::Worker;

/// The worker, for those who order and for the thread that waits.
pub(super) struct Desk {
    jobs: Sender<Box<dyn Work>>,
    /// None once the connection has ended.
    worker: Mutex<Option<Worker>>,
    wake: Wake,
    lost: Lost,
}

impl Desk {
    pub(super) fn new(jobs: Sender<Box<dyn Work>>, worker: Worker) -> io::Result<Self> {
        Ok(Self {
            jobs,
            worker: Mutex::new(Some(worker)),
            wake: Wake::new()?,
            lost: Lost::default(),
        })
    }

    /// Why the connection ended.
    pub(super) fn lost(&self) -> &Lost {
        &self.lost
    }

    /// Leaves an order and starts it if nobody is at work. Where the connection has ended, the
    /// order is dropped.
    pub(super) fn order(&self, work: Box<dyn Work>) {
        // It fails where the worker is gone, and then whoever waits for the work is told.
        let _ = self.jobs.send(work);
        if let Some(mut worker) = self.worker.try_lock() {
            worker.iter_mut().for_each(Worker::start);
        }
        self.wake();
    }

    /// Has the thread look again at what it is to do.
    pub(super) fn wake(&self) {
        self.wake.ring();
    }

    /// Waits for VPP and for orders, until the connection ends. `stream` is the connection's.
    pub(super) fn serve(&self, stream: UnixStream) {
        let error = loop {
            match self.turn(&stream) {
                Ok(true) => {}
                Ok(false) => break VppError::Closed,
                Err(error) => break error,
            }
        };
        if let Some(worker) = self.worker.lock().take() {
            worker.break_off(&error);
        }
        self.lost.set(error);
    }

    fn turn(&self, stream: &UnixStream) -> Result<bool, VppError> {
        let wants = |worker: &Worker| (worker.wants(), worker.sleep(Instant::now()));
        let wanted = self.worker.lock().as_ref().map(wants);
        let Some((flags, longest)) = wanted else {
            return Ok(false);
        };
        let mut waited = [
            PollFd::new(stream.as_fd(), flags),
            PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
        ];
        wait_ready(&mut waited, longest).map_err(|error| VppError::Lost(error.to_string()))?;
        self.wake.silence();
        let mut worker = self.worker.lock();
        worker.as_mut().map_or(Ok(false), Worker::turn)
    }
}
