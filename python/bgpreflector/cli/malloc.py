"""Make the C library's allocator return freed memory to the kernel."""

from __future__ import annotations

import ctypes
import logging
import os

_log = logging.getLogger(__name__)

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of ``malloc.h``: see ``mallopt(3)``."""

THRESHOLD = 128 << 10
"""Bytes: both of glibc's defaults."""

SETTINGS = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
TUNABLES = ("glibc.malloc.mmap_threshold", "glibc.malloc.trim_threshold")
"""By these variables of the environment, and by these in ``GLIBC_TUNABLES``, an operator sets
other thresholds."""


def give_memory_back() -> None:
    """Return large blocks to the kernel once they are freed.

    glibc by itself raises its thresholds to the size of what is freed: blocks of up to 32 MiB come
    from its arenas then, eight a processor, each of which keeps up to 64 MiB that nobody uses. The
    tables of a few reloads, each filled by another thread, would make the process several times
    as large as its routes need. Setting the thresholds, be it to their defaults, ends that.
    """
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if any(name in os.environ for name in SETTINGS) or any(name in tunables for name in TUNABLES):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        _log.debug("This C library's allocator has no thresholds")
        return
    for parameter in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
        if not mallopt(parameter, THRESHOLD):
            _log.debug("mallopt(%d, %d) failed", parameter, THRESHOLD)
