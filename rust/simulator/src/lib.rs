//! A VPP simulator: it implements VPP's socket API, keeps interfaces, tables, FIB sources and
//! routes as VPP does, and injects the faults that a VPP can have.

mod addresses;
mod cli;
mod client;
mod client_requests;
mod control;
mod description;
mod faults;
mod fib;
mod handle;
mod interfaces;
mod paths;
mod releases;
mod remote;
mod reply;
mod resolve;
mod retval;
mod serve;
mod server;
mod sets;
mod settings;
mod sources;
mod state;
mod statistics;
mod tables;

pub use faults::Fault;
pub use handle::Simulator;
pub use releases::Release;
pub use remote::SimulatorError;
pub use settings::Settings;
pub use statistics::Statistics;
