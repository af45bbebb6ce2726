"""Publish-subscribe: one message, every subscriber whose filter it matches (Hohpe & Woolf, 2003)."""
