//! The return codes in use (`vnet/error.h`).

pub(crate) const UNSPECIFIED: i32 = -1;
pub(crate) const INVALID_SW_IF_INDEX: i32 = -2;
pub(crate) const NO_SUCH_FIB: i32 = -3;
pub(crate) const NO_SUCH_ENTRY: i32 = -6;
pub(crate) const INVALID_VALUE: i32 = -7;
pub(crate) const UNIMPLEMENTED: i32 = -9;
pub(crate) const INVALID_REGISTRATION: i32 = -31;
pub(crate) const NO_PATHS_IN_ROUTE: i32 = -52;
pub(crate) const NO_MATCHING_INTERFACE: i32 = -54;
pub(crate) const ADDRESS_NOT_FOUND_FOR_INTERFACE: i32 = -60;
pub(crate) const NO_SUCH_TABLE: i32 = -65;
pub(crate) const VALUE_EXIST: i32 = -81;
pub(crate) const ADDRESS_IN_USE: i32 = -105;
pub(crate) const EAGAIN: i32 = -165;
pub(crate) const INVALID_PREFIX_LENGTH: i32 = -171;
