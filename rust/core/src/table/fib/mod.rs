//! Desired and installed paths, and the requests in between.

pub(super) mod acknowledge;
pub(super) mod deletion_guard;
pub(super) mod dirty_queue;
pub(super) mod fib_audit;
pub(super) mod installed;
pub(super) mod limit;
pub(super) mod max_prefix;
pub(super) mod prefix_lists;
pub(super) mod quarantine;
pub(super) mod quarantine_state;
pub(super) mod request;
pub(super) mod result_queue;
pub(super) mod results;
pub(super) mod selection;
pub(super) mod shadowed;
pub(super) mod withheld;
