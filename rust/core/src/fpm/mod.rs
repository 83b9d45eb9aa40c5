//! The forwarding plane manager's protocol (FRR's `fpm/fpm.h`): zebra's module `dplane_fpm_nl`
//! sends rtnetlink messages over TCP, one or more after a header of four bytes.
//!
//! [`netlink`](crate::netlink) decodes the content of the frames. The same frames are sent back to
//! zebra as results (`fpm_read` in `zebra/dplane_fpm_nl.c`, FRR 8.5 and newer).

mod frame;
mod next_hop_ids;
mod route_result;

pub use frame::{FpmFrameError, FpmFrameReader, MAX_FRAME, frame_header};
pub use next_hop_ids::NextHopIds;
pub use route_result::encode_result;
