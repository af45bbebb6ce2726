"""Load leveling: a queue between a burst of work and a consumer with a cap (Homer et al., 2014)."""
