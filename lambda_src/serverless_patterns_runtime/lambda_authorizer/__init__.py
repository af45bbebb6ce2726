"""Who is calling: a plain business function decides, the gateway enforces it."""
