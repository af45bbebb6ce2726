"""Routes of a monolith that move to a new side, a share of their callers at a time."""
