#!/bin/sh
# Prints the newest Python that can run Accord, or says what to install.
set -eu
for name in python3.13 python3.12 python3.11 python3 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
done
found=$(python3 --version 2>/dev/null || echo "no Python")
echo "Accord needs Python 3.11 or newer and found $found. Install one (python.org, your package manager or pyenv), then try again." >&2
exit 1
