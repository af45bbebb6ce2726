"""The site's move: visitors browse while its routes go from the old server to new functions, and back."""
