//! Converts the engine's errors to the exceptions that Python defines.

use bgpreflector_engine::{KernelError, VppError};
use pyo3::{PyErr, import_exception};

mod python {
    use super::import_exception;
    import_exception!(bgpreflector.errors, KernelError);
    import_exception!(bgpreflector.errors, VppConnectError);
    import_exception!(bgpreflector.errors, VppLostError);
    import_exception!(bgpreflector.errors, VppMessageError);
}

pub(crate) fn kernel(error: KernelError) -> PyErr {
    python::KernelError::new_err(error.to_string())
}

pub(crate) fn vpp(error: VppError) -> PyErr {
    let text = error.to_string();
    match error {
        VppError::Connect { .. } | VppError::Handshake(_) => python::VppConnectError::new_err(text),
        VppError::Message(_) => python::VppMessageError::new_err(text),
        VppError::Lost(_)
        | VppError::HungUp(_)
        | VppError::Unresponsive { .. }
        | VppError::Closed => python::VppLostError::new_err(text),
    }
}
