//! The Python module `bgpreflector._core`: exports and conversions only.

mod batch;
mod convert;
mod detached;
mod engine;
mod engine_kernel;
mod engine_query;
mod engine_vpp;
mod errors;
mod fpm;
mod logs;
mod reports;
mod requests;
mod route_listing;
mod simulator;
mod views;

/// The Rust core of bgpreflector. See `_core.pyi` for the types.
#[pyo3::pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use super::batch::RouteBatch;
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::fpm::FpmStatus;
    #[pymodule_export]
    use super::logs::{init_logging, next_log_record};
    #[pymodule_export]
    use super::reports::{
        AdoptReport, CommitReport, FlushReport, ResyncReport, Status, VppAuditReport,
        retval_meaning,
    };
    #[pymodule_export]
    use super::requests::RequestList;
    #[pymodule_export]
    use super::route_listing::RouteListing;
    #[pymodule_export]
    use super::simulator::Simulator;
    #[pymodule_export]
    use super::views::{KernelRoute, LookupCheck, NextHop, NextHopSetView, RouteChange, RouteView};
}
