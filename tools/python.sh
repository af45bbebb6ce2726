#!/bin/sh
# Runs its arguments with the first Python of this machine that is new enough; PYTHON=/path/to/python names another.
set -u
for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" "$@"
    fi
done
echo "set-up: no Python 3.11 or later among: ${PYTHON:-python3, python3.14, python3.13, python3.12, python3.11, python}." \
    "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11" >&2
exit 1
