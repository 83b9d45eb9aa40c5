//! The simulator as clients see it.

mod clients;
mod faults;
mod forwarding;
mod replay;
mod support;
mod truth;
