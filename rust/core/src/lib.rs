//! The pure part of bgpreflector: no sockets, no threads, no Python.
//!
//! Data goes one way: [`netlink`] turns the kernel's bytes into [`route`] values, [`table`] stores
//! them and says what VPP must change, [`vpp`] turns the changes into VPP's bytes and reads the
//! replies. [`fpm`] is what stands between [`netlink`] and zebra where that tells of the routes.
#![forbid(unsafe_code)]

pub mod fpm;
mod named_enum;
pub mod netlink;
pub mod route;
pub mod table;
pub mod vpp;
