#!/bin/sh
# Compiles run.txt, dev.txt and uv.txt; hashes instead of registry addresses make them the same everywhere.
set -eu
cd "$(dirname "$0")/.."
compile() {
    sh requirements/uv.sh pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate "$@"
    echo "Compiled $(echo "$@" | grep -o 'requirements/[a-z]*\.txt$')"
}
compile pyproject.toml --extra local --extra parquet --group build --output-file requirements/run.txt
# run.txt as constraint: what dev installs serves run too (install.sh relies on it).
compile pyproject.toml --all-extras --group build --group dev --constraint requirements/run.txt \
    --output-file requirements/dev.txt
echo 'uv==0.13.9' | compile - --output-file requirements/uv.txt
