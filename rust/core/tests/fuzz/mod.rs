//! The properties that the fuzz targets check, and a way to run them without a fuzzer.

pub mod decode;
pub mod fpm;
pub mod frames;
pub mod mutate;
mod seeded;

use crate::netlink::support::encode;
