"""Views: rows, totals and documents that follow the write model, and their rebuild."""
