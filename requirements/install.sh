#!/bin/sh
# Makes .venv match requirements/run.txt or dev.txt (the first argument); does nothing when it already does.
set -eu
cd "$(dirname "$0")/.."
want=${1:?say run or dev}

state() { echo "$1 $(cat "requirements/$1.txt" pyproject.toml requirements/install.sh | cksum) $PWD"; }
stamp=.venv/accord.stamp
have=$(cat "$stamp" 2>/dev/null || true)
# dev holds all that run holds, at the same versions, so it serves both.
if [ "$have" = "$(state "$want")" ] || [ "$have" = "$(state dev)" ]; then
    exit 0
fi

uv() { sh requirements/uv.sh "$@"; }
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    python=$(sh requirements/python.sh)
    echo "Creating .venv with $("$python" --version)"
    uv venv --quiet --clear --python "$python" .venv
fi
rm -f "$stamp"
echo "Installing $(grep -c '==' "requirements/$want.txt") pinned packages into .venv and compiling them (some 700 MB; minutes on a slow line)"
# Wheels alone: a machine without a compiler gets a clear refusal, not a failed build.
# The list of 150 names is left out of what uv reports; its downloads stay as signs of progress.
{
    uv pip sync --python .venv/bin/python --require-hashes --only-binary :all: --compile-bytecode \
        "requirements/$want.txt" 2>&1 || : > .venv/accord.failed
} | sed '/^ [-+~] /d'
if [ -e .venv/accord.failed ]; then
    rm .venv/accord.failed
    echo "The packages could not be installed; the reason stands above. Mend it and run the same command again." >&2
    exit 1
fi
uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
state "$want" > "$stamp"
echo "Ready: .venv holds what $want needs"
