"""The process's own metrics, also where the unit hides what is not a process in ``/proc``."""

from __future__ import annotations

import time

from prometheus_client import ProcessCollector


class OwnProcess(ProcessCollector):
    """Without ``/proc/stat``, which ``ProcSubset=pid`` hides: without it there would be none."""

    def _boot_time(self) -> float:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
