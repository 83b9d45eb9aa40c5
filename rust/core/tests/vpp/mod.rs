//! VPP's messages.

mod frame_reader;
mod golden_dumps;
mod golden_routes;
mod golden_session;
mod in_flight;
mod properties;
mod refusals;
pub mod vectors;
