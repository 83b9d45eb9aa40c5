//! Views and counts.

pub(super) mod by_table;
pub(super) mod counts;
pub(super) mod filter;
pub(super) mod held;
pub(super) mod in_order;
pub(super) mod listing;
pub(super) mod route_groups;
pub(super) mod route_state;
pub(super) mod sets;
pub(super) mod source_specific_views;
pub(super) mod view;
