"""The shop's site as it was before it moved: sessions, SQLite, pages and downloads in one process of its own."""
