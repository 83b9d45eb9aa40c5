"""Makes the seeds of the fuzz targets from the messages that were recorded for the tests."""

# ruff: noqa: INP001 (beside the crate it serves, not a package)
from __future__ import annotations

import hashlib
import json
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
VECTORS = FUZZ.parents[1] / "tests" / "vectors"
# Link messages are large and read in two places only: a few of them are enough.
LONGEST = 4096


def seeds(files: str, key: str) -> set[bytes]:
    found = set()
    for file in sorted(VECTORS.glob(files)):
        for line in file.read_text(encoding="utf-8").splitlines():
            found.add(bytes.fromhex(json.loads(line)[key]))
    return {seed for seed in found if len(seed) <= LONGEST}


def write(target: str, found: set[bytes], prefix: bytes = b"") -> None:
    corpus = FUZZ / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in found:
        name = hashlib.sha256(seed).hexdigest()[:16]
        (corpus / name).write_bytes(prefix + seed)


if __name__ == "__main__":
    write("decode", seeds("netlink/*.jsonl", "hex"))
    # The first byte says how the stream is cut up.
    write("fpm", seeds("fpm/*.jsonl", "frame"), prefix=b"\x07")
    write("frames", seeds("vpp/*.jsonl", "frame"), prefix=b"\x07")
