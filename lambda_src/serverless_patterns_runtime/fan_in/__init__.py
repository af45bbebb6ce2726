"""Aggregator: the results of a message's branches, handed over once (Hohpe & Woolf, 2003)."""
