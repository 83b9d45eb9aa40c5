//! Reads the kernel's notifications into the table.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bgpreflector_core::table::{DumpScope, Table};

use crate::counters::KernelCounters;
use crate::error::KernelError;
use crate::ready::wait_readable;

use super::apply::{self, Effects};
#[cfg(test)]
use super::monitor::Fault;
use super::monitor::{LONGEST_PAUSE, Monitor, SETTLE_TIME};
use super::schedule::Reason;

/// How long reading goes on before a walk over the table, in times of the last walk.
const READ_ON: u32 = 10;
/// The longest of these: others wait for the table meanwhile.
const LONGEST_READ: Duration = Duration::from_millis(50);

impl Monitor {
    /// Waits for notifications only.
    pub(super) fn await_notifications(&self, longest: Duration) -> Result<(), KernelError> {
        wait_readable(&self.notifications, Some(longest)).map_err(KernelError::Read)
    }

    /// Reads all pending notifications into the table.
    pub(super) fn drain(&mut self) -> Result<Effects, KernelError> {
        Ok(self.drain_at_most(usize::MAX)?.0)
    }

    /// Reads notifications at most `times` times; also returns whether that was all of them.
    pub(super) fn drain_at_most(&mut self, times: usize) -> Result<(Effects, bool), KernelError> {
        #[cfg(test)]
        self.inject_fault();
        let mut all = Effects::default();
        let mut emptied = false;
        for _ in 0..times {
            let failed = match self.receive() {
                Ok(()) => {
                    let (effects, failed) = self.apply();
                    all = all.and(effects);
                    failed
                }
                Err(error) => Some(error),
            };
            match failed {
                None => {}
                Some(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    emptied = true;
                    break;
                }
                Some(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The kernel dropped notifications and continues to do so until the queue has been
                // read.
                Some(error) if error.raw_os_error() == Some(libc::ENOBUFS) => all.overrun = true,
                Some(error) if may_pass(&error) => {
                    log::warn!(
                        event = "notifications unreadable", error:%;
                        "cannot read the kernel's notifications for the moment: {error}; dumping its \
                         routes again"
                    );
                    (all.overrun, self.failed_transiently) = (true, true);
                    break;
                }
                Some(error) => return Err(KernelError::Read(error)),
            }
        }
        self.burst.read(Instant::now());
        if self.settings.links_only {
            // zebra, not the kernel, decides what a link does to its routes.
            (all.to_verify, all.replaced_among) = (None, false);
        }
        self.expiry.after(all.expiry);
        self.request_dumps(&all);
        Ok((all, emptied))
    }

    /// Schedules the dumps that the notifications make necessary.
    fn request_dumps(&mut self, effects: &Effects) {
        if effects.overrun {
            self.on_overrun();
        } else if effects.replaced_among
            && (effects.to_verify.is_some() || self.schedule.at().is_some())
        {
            self.schedule
                .request(SETTLE_TIME, Reason::Event, DumpScope::Everything);
        } else if let Some(dump_scope) = effects.to_verify.clone() {
            self.schedule
                .request(SETTLE_TIME, Reason::Event, dump_scope);
        }
    }

    fn on_overrun(&mut self) {
        KernelCounters::count(&self.shared.kernel.overruns);
        self.overruns_in_a_row = self.overruns_in_a_row.saturating_add(1);
        let pause = SETTLE_TIME.saturating_mul(1 << self.overruns_in_a_row.min(6));
        // Further overruns before the next complete dump add nothing.
        let first = self.overruns_in_a_row == 1;
        let level = if first {
            log::Level::Warn
        } else {
            log::Level::Debug
        };
        log::log!(
            level,
            event = "overrun", overruns_in_a_row = self.overruns_in_a_row;
            "the kernel dropped notifications (overrun); dumping its routes again"
        );
        self.count_drops();
        let pause = pause.min(LONGEST_PAUSE);
        self.schedule
            .request(pause, Reason::Overrun, DumpScope::Everything);
    }

    fn receive(&mut self) -> io::Result<()> {
        #[cfg(test)]
        if let Some(errno) = self.errors.pop() {
            return Err(io::Error::from_raw_os_error(errno));
        }
        self.notifications.receive_many(&mut self.datagrams)
    }

    #[cfg(test)]
    fn inject_fault(&mut self) {
        match self.fault.take() {
            None => {}
            Some(Fault::Panic) => panic!("injected"),
            Some(Fault::Hang(end)) => {
                let _ = end.recv();
            }
        }
    }

    /// Applies what was read, and returns why further notifications could not be read, if that was
    /// tried.
    ///
    /// Where routes go or change with links and next-hop objects, a walk over the table finds them:
    /// then all that is pending is applied before the one walk, so that however many objects go,
    /// walks take a small share of the time.
    fn apply(&mut self) -> (Effects, Option<io::Error>) {
        let shared = Arc::clone(&self.shared);
        shared.change(|table| {
            table.defer();
            let mut all = self.apply_read(table);
            let until = Instant::now() + self.last_walk.saturating_mul(READ_ON).min(LONGEST_READ);
            let mut failed = None;
            while failed.is_none() && table.has_deferred() && Instant::now() < until {
                match self.receive() {
                    Ok(()) => all = all.and(self.apply_read(table)),
                    Err(error) => failed = Some(error),
                }
            }
            let (walks, began) = (table.has_deferred(), Instant::now());
            table.apply_deferred();
            if walks {
                self.last_walk = began.elapsed();
            }
            (all, failed)
        })
    }

    fn apply_read(&mut self, table: &mut Table) -> Effects {
        let object_request = &mut self.object_request;
        self.shared.kernel_reader.beat();
        self.notifications.count_senders(&self.shared.kernel);
        let mut all = Effects::default();
        for datagram in self.datagrams.iter() {
            let Some(datagram) = datagram else {
                all.overrun = true;
                continue;
            };
            let shared = &self.shared;
            all = all.and(apply::notifications(
                shared,
                table,
                datagram,
                object_request,
            ));
        }
        all
    }

    fn count_drops(&self) {
        match self.notifications.drops() {
            Ok(drops) => {
                let counter = &self.shared.kernel.drops;
                counter.store(drops.into(), Ordering::Relaxed);
            }
            Err(error) => log::debug!(
                event = "drops unknown", error:%; "cannot read the socket's drop count: {error}"
            ),
        }
    }

    /// Whether the kernel has dropped notifications since the start of the last complete dump.
    ///
    /// The socket's drop count decides, not `ENOBUFS`: the kernel reports adjacent drops only once.
    pub(super) fn has_lost_notifications(&self) -> bool {
        self.overruns_in_a_row > 0 || self.drops() != self.drops_before_dump
    }

    /// Notifications that the kernel has dropped so far.
    pub(super) fn drops(&self) -> u32 {
        // If the count cannot be read (`count_drops` reports that), `ENOBUFS` has to do.
        self.notifications.drops().unwrap_or(0)
    }

    /// Records a complete dump, which began at this count of dropped notifications.
    pub(super) fn clear_overrun(&mut self, drops: u32) {
        self.overruns_in_a_row = 0;
        self.drops_before_dump = drops;
    }
}

/// Whether another read may succeed: the socket is intact, and the error transient.
fn may_pass(error: &io::Error) -> bool {
    !matches!(
        error.raw_os_error(),
        Some(libc::EBADF | libc::ENOTSOCK | libc::EFAULT | libc::EINVAL | libc::EOPNOTSUPP)
    )
}
