//! Applies the kernel's notifications and dumps.

pub(super) mod deferred;
pub(super) mod deferred_sets;
pub(super) mod discovered;
pub(super) mod discovery;
pub(super) mod drift;
pub(super) mod dump_tracker;
pub(super) mod ecmp;
pub(super) mod foreign_users;
pub(super) mod injected_routes;
pub(super) mod kernel_audit;
pub(super) mod kernel_order;
pub(super) mod kernel_removal;
pub(super) mod label_routes;
pub(super) mod links;
pub(super) mod only_route;
pub(super) mod outdated_sets;
pub(super) mod resync;
pub(super) mod resync_state;
pub(super) mod source_specific;
pub(super) mod source_specific_routes;
pub(super) mod unseen;
pub(super) mod update;
pub(super) mod verify;
pub(super) mod withdraw;
