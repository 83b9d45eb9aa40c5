//! Applies the kernel's notifications and dumps.

pub(super) mod concern;
pub(super) mod deferred;
pub(super) mod discovery;
pub(super) mod drift;
pub(super) mod dump_tracker;
pub(super) mod injected_routes;
pub(super) mod kernel_order;
pub(super) mod resync;
pub(super) mod sole;
pub(super) mod source_routes;
pub(super) mod unseen;
pub(super) mod update;
