"""Scatter-gather over the items of a list, by Step Functions' Map (Hohpe & Woolf, 2003)."""
