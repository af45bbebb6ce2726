"""Reading a view: its live generation, pages, and as new as the reader asks for."""
