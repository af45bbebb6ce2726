"""The order book: commands by many at once, and lists, sums and a dashboard that have to be what was accepted."""
