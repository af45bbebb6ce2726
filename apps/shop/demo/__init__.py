"""What `make demo` does with the shop: real orders, faults on purpose, and a report of every message and checkout."""
