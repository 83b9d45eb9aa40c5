//! The C library's allocator.

/// Makes the process keep freed memory, so later allocations cause no page faults, whose cost is
/// the kernel's and, on a virtual machine, the host's. Returns whether it worked.
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
