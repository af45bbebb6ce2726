"""Benchmarks: `make bench`, or `python -m bench --only NAME`. Ours and the peer in one run; nothing here is a test."""
