//! Views and counts.

pub(super) mod by_table;
pub(super) mod counts;
pub(super) mod sets;
pub(super) mod view;
