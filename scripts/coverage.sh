#!/usr/bin/env bash
# Measures which lines tests run, into target/coverage: coverage.sh PYTEST-ARGUMENTS…
#
# Python's tests run Rust as well, and they alone the binding, whole daemons and the sockets: they are
# run with an extension that counts, which stays in .venv until the next `make build`.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$PWD/target/coverage
python=.venv/bin/python

llvm_cov() { .venv/bin/cargo-llvm-cov llvm-cov "$@"; }

rm -rf "$results" .venv/built
mkdir -p "$results"
export VIRTUAL_ENV=$PWD/.venv CARGO_TARGET_DIR=$PWD/target/llvm-cov-target
# Optimised a little, or the tests of many routes would take too long.
export CARGO_PROFILE_DEV_OPT_LEVEL=1
# A few files of counters, not one for each of thousands of processes.
export LLVM_PROFILE_FILE_NAME=bgpreflector-%4m.profraw
environment=$(llvm_cov show-env --sh)
(
    eval "$environment"
    llvm_cov clean --workspace
    cargo test --workspace --locked
    $python -m maturin develop --locked --quiet
)
# What tests build is built as ever.
unset CARGO_TARGET_DIR CARGO_PROFILE_DEV_OPT_LEVEL
tested=0
(
    eval "$(grep '^export LLVM_PROFILE_FILE=' <<<"$environment")"
    $python -m pytest --cov --cov-report=html --cov-report="json:$results/python.json" \
        --cov-report=term-missing:skip-covered "$@"
) | tee "$results/python.txt" || tested=$?
eval "$environment"
llvm_cov report --html --output-dir "$results/rust"
llvm_cov report --json --summary-only --output-path "$results/rust.json"
llvm_cov report >"$results/rust.txt"
$python scripts/coverage_table.py "$results/rust.json" "$results/python.json" |
    tee "$results/summary.md"
exit "$tested"
