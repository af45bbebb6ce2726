"""`python -m serverless_patterns.cli`."""

from serverless_patterns.cli import main

main()
