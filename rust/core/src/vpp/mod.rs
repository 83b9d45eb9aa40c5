//! vpp
