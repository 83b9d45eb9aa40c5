//! A VPP simulator: it implements VPP's socket API, keeps interfaces, tables, FIB sources and
//! routes as VPP does, and injects the faults that a VPP can have.

mod addresses;
mod cli;
mod client;
mod control;
mod description;
mod faults;
mod fib;
mod handle;
mod interfaces;
mod paths;
mod releases;
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
mod wire;

pub use faults::Fault;
pub use handle::{Simulator, SimulatorError};
pub use releases::Release;
pub use settings::Settings;
pub use statistics::Statistics;
