"""Claims on idempotency keys: who may run, who ran, and what was asked for."""
