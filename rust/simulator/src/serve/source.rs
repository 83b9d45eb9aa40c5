//! FIB sources.

use bgpreflector_core::vpp::{
    FibSource, FibSourceAdd, FibSourceAddReply, FibSourceDetails, WireError, messages as m,
};

use super::request::{Request, id_of};
use crate::state::State;

pub(super) fn serve(
    state: &mut State,
    request: &Request<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let context = request.context;
    if request.message == m::FIB_SOURCE_ADD {
        let source = FibSourceAdd::decode(request.payload)?.source;
        let added = state.sources.add(source.name.into_owned(), source.priority);
        let reply = FibSourceAddReply {
            context,
            retval: 0,
            // FIB_SOURCE_INVALID
            id: added.unwrap_or(0),
        };
        reply.encode(id_of(m::FIB_SOURCE_ADD_REPLY), out);
        return Ok(());
    }
    for source in state.sources.all() {
        let source = FibSource {
            priority: source.priority,
            id: source.id,
            name: source.name.as_str().into(),
        };
        FibSourceDetails { context, source }.encode(id_of(m::FIB_SOURCE_DETAILS), out)?;
    }
    Ok(())
}
