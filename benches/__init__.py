"""Benchmarks: ours and its peers or limits in the same run, held against targets.

Run by pytest. With the sizes of `make test` they only prove that they work; `make bench` asks for a
full table by `BGPREFLECTOR_BENCH_ROUTES`.
"""
