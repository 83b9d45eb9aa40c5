//! Hardware addresses of interfaces.

/// An Ethernet address.
pub type HardwareAddress = [u8; 6];
