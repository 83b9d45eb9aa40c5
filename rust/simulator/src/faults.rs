//! InjectedFaults that can be injected.

use std::time::Instant;

use bgpreflector_core::route::Prefix;
use serde::Deserialize;

/// A fault to inject.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// At most this many requests a second; 0 removes the limit.
    RateLimit {
        /// Requests a second.
        per_second: u64,
    },
    /// Refuses the `nth` route request from now, and every `nth` after it if `every`.
    FailNth {
        /// 1 is the next one.
        nth: u64,
        /// VPP's return code.
        retval: i32,
        /// Whether to repeat it.
        #[serde(default)]
        every: bool,
    },
    /// Refuses requests for this prefix; `retval` 0 clears that.
    FailPrefix {
        /// The prefix.
        prefix: String,
        /// VPP's return code.
        retval: i32,
    },
    /// Whether a request that adds this prefix crashes VPP, which then restarts empty.
    CrashAt {
        /// The prefix.
        prefix: String,
        /// Whether it does so.
        on: bool,
    },
    /// VPP returns at most this many linux-cp pairs in one answer; 0: all.
    PairsAtOnce {
        /// Pairs.
        count: usize,
    },
    /// Stops, or resumes, reading from clients.
    Stall {
        /// Whether to stall.
        on: bool,
    },
    /// Reads requests without executing or answering them, or no longer.
    Mute {
        /// Whether to be mute.
        on: bool,
    },
    /// Closes all connections after this many more route requests.
    Drop {
        /// 0 is at once.
        #[serde(default)]
        after: u64,
        /// Whether to cut the last reply in the middle.
        #[serde(default)]
        mid_frame: bool,
    },
    /// Restarts VPP with an empty state.
    Restart {
        /// By how much to shift the interfaces' `sw_if_index`.
        #[serde(default)]
        shift: u32,
    },
    /// Gives a message another CRC for clients that connect from now on.
    ChangeCrc {
        /// Its name.
        message: String,
        /// Eight hexadecimal digits.
        crc: String,
    },
    /// Removes a message for clients that connect from now on.
    RemoveMessage {
        /// Its name.
        message: String,
    },
    /// Clears all faults except changed and removed messages and what has already happened.
    Clear,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Countdown {
    pub(crate) left: u64,
    again: Option<u64>,
    pub(crate) retval: i32,
}

/// The active faults.
#[derive(Debug, Default)]
pub(crate) struct InjectedFaults {
    pub(crate) stalled: bool,
    pub(crate) mute: bool,
    pub(crate) per_second: u64,
    fail_nth: Option<Countdown>,
    fail_prefixes: Vec<(Prefix, i32)>,
    crash_at: Vec<Prefix>,
    pub(crate) pairs_at_once: usize,
    pub(crate) drop_after: Option<(u64, bool)>,
    window: Option<(Instant, u64)>,
}

impl InjectedFaults {
    pub(crate) fn fail_nth(&mut self, nth: u64, retval: i32, every: bool) {
        let again = every.then_some(nth);
        self.fail_nth = (nth > 0).then_some(Countdown {
            left: nth,
            again,
            retval,
        });
    }

    pub(crate) fn fail_prefix(&mut self, prefix: Prefix, retval: i32) {
        self.fail_prefixes.retain(|(other, _)| *other != prefix);
        if retval != 0 {
            self.fail_prefixes.push((prefix, retval));
        }
    }

    pub(crate) fn crash_at(&mut self, prefix: Prefix, on: bool) {
        self.crash_at.retain(|other| *other != prefix);
        if on {
            self.crash_at.push(prefix);
        }
    }

    /// Whether a request that adds the prefix crashes VPP.
    pub(crate) fn crashes_at(&self, prefix: &Prefix) -> bool {
        self.crash_at.contains(prefix)
    }

    /// The return code with which to refuse a route request, if any.
    pub(crate) fn refusal(&mut self, prefix: &Prefix) -> Option<i32> {
        let by_prefix = self.fail_prefixes.iter().find(|(other, _)| other == prefix);
        let by_prefix = by_prefix.map(|(_, retval)| *retval);
        let Some(countdown) = &mut self.fail_nth else {
            return by_prefix;
        };
        countdown.left = countdown.left.saturating_sub(1);
        if countdown.left > 0 {
            return by_prefix;
        }
        let retval = countdown.retval;
        match countdown.again {
            Some(nth) => countdown.left = nth,
            None => self.fail_nth = None,
        }
        Some(retval)
    }

    /// Whether to drop the connections after this route request, and whether in mid-frame.
    pub(crate) fn drops_now(&mut self) -> Option<bool> {
        let (after, mid_frame) = self.drop_after.as_mut()?;
        *after = after.saturating_sub(1);
        if *after > 0 {
            return None;
        }
        let mid_frame = *mid_frame;
        self.drop_after = None;
        Some(mid_frame)
    }

    /// Whether one more request may be served now; without a limit, always.
    pub(crate) fn allows_request(&mut self) -> bool {
        if self.per_second == 0 {
            return true;
        }
        // Ten windows a second if possible, to smooth the load.
        let windows = if self.per_second < 10 { 1 } else { 10 };
        let limit = self.per_second / windows;
        let length = 1000 / u128::from(windows);
        match &mut self.window {
            Some((began, done)) if began.elapsed().as_millis() < length => {
                *done += 1;
                *done <= limit
            }
            window => {
                *window = Some((Instant::now(), 1));
                true
            }
        }
    }
}
