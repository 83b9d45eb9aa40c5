//! The C library's allocator.

/// Has the process keep what it frees, so that nothing allocated later costs a page fault: those
/// are the kernel's work, and on a virtual machine its host's. Whether it was possible.
pub fn keep() -> bool {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: mallopt(3) takes numbers and keeps no pointer.
        let set = |parameter, value| unsafe { libc::mallopt(parameter, value) };
        set(libc::M_MMAP_MAX, 0) == 1 && set(libc::M_TRIM_THRESHOLD, libc::c_int::MAX) == 1
    }
    #[cfg(not(target_env = "gnu"))]
    false
}
