"""A saga: steps that are all done, or undone in reverse (Garcia-Molina and Salem, 1987)."""
