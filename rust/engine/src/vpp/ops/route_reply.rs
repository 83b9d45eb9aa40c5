//! Which route request VPP has answered, and how.

use bgpreflector_core::vpp::{InFlight, RouteReply};

use crate::error::VppError;

/// Takes the request that a reply answers; the other value is VPP's return code.
///
/// # Errors
/// [`VppError::Lost`] if the reply cannot be read, or answers no request.
pub(super) fn take_request<T>(
    pending: &mut InFlight<T>,
    message: &[u8],
) -> Result<(T, i32), VppError> {
    let reply = RouteReply::decode(message).map_err(|error| VppError::Lost(error.to_string()))?;
    let request = pending.take(reply.context);
    let request = request.map_err(|error| VppError::Lost(error.to_string()))?;
    Ok((request, reply.retval))
}
