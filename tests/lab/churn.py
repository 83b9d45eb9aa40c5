"""Changes that go on beside a test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def again_and_again(change: Callable[[int], None]) -> Iterator[threading.Event]:
    """Calls ``change`` with 1, 2, … on another thread until the end; raises what it raises.

    The event is set once it has been called for the first time, or has failed.
    """
    failed: list[BaseException] = []
    began, ended = threading.Event(), threading.Event()

    def run() -> None:
        number = 0
        try:
            while not ended.is_set():
                number += 1
                change(number)
                began.set()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)
            began.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield began
    finally:
        ended.set()
        thread.join()
        if failed:
            raise failed[0]
