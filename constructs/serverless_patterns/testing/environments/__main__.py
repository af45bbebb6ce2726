"""Installs the emulator ahead of time, with a line per step."""

import sys

from serverless_patterns.testing.environments import emulator_python
from serverless_patterns.testing.errors import EnvironmentNotReady


def main() -> int:
    """Make the environment; 1 if that failed."""
    try:
        python = emulator_python(lambda line: print(line, flush=True))
    except EnvironmentNotReady as error:
        print(f"embedded cloud: {error}", file=sys.stderr)
        return 1
    print(f"embedded cloud: ready ({python})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
