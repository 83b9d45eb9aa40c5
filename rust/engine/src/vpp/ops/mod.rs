//! The connection's operations.

pub(in crate::vpp) mod adopt;
pub(in crate::vpp) mod audit;
pub(in crate::vpp) mod commit;
pub(in crate::vpp) mod dump_op;
pub(in crate::vpp) mod flush;
pub(in crate::vpp) mod overridden;
mod route_reply;
mod table_dump;
