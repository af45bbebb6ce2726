"""A fake payment provider: a process of its own, with keys that it remembers for a while, refunds, and bad moments."""
