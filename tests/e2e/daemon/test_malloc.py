"""What is freed goes back to the kernel, however large it was."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

BLOCK = 8 << 20
"""Bytes; glibc raises its thresholds up to four times that."""

PROGRAM = f"""
import ctypes
import sys
from bgpreflector.cli.malloc import give_memory_back

class Figures(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd",
        "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )]

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.mallinfo2.restype = Figures

if sys.argv[1:] == ["mallopt"]:
    give_memory_back()
libc.free(libc.malloc({BLOCK}))
before = libc.mallinfo2().hblkhd
libc.malloc({BLOCK} // 2)
print(libc.mallinfo2().hblkhd - before)
"""
"""Prints how much of a block is mapped on its own, after one twice as large has been freed."""


def mapped(*arguments: str, **environment: str) -> int:
    """What the program prints."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return int(done.stdout)


@pytest.fixture(autouse=True)
def _glibc() -> None:
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        pytest.skip("the C library has no mallinfo2: run it with glibc 2.33 or newer")


def test_large_blocks_stay_mapped_on_their_own() -> None:
    """And so are unmapped once they are freed; glibc by itself takes the second from its heap."""
    assert mapped("mallopt") >= BLOCK // 2
    assert mapped() == 0


@pytest.mark.parametrize(
    "setting",
    [
        {"MALLOC_MMAP_THRESHOLD_": str(BLOCK * 2)},
        {"GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={BLOCK * 2}"},
    ],
)
def test_what_an_operator_has_set_stands(setting: dict[str, str]) -> None:
    """By the environment, in the old way and in the new one."""
    assert mapped("mallopt", **setting) == 0
