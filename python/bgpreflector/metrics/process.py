"""The process's own metrics, also under the unit's ``ProcSubset=pid``."""

from __future__ import annotations

import time

from prometheus_client import ProcessCollector


class OwnProcess(ProcessCollector):
    """Without ``/proc/stat``, which ``ProcSubset=pid`` hides."""

    def _boot_time(self) -> float:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
