"""A circuit breaker whose state all sandboxes share: closed, open, or half-open with exactly one probe."""
