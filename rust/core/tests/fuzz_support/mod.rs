//! The properties that the fuzz targets hold to, and a way to try them without a fuzzer.

pub mod decode;
pub mod fpm;
pub mod frames;
pub mod mutate;

use crate::netlink_support::encode;
