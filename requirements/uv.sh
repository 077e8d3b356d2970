#!/bin/sh
# Runs uv; where the machine has none, the one pinned in uv.txt is put into .uv first.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# Where the machine keeps its own certificates (company proxies), uv has to trust those and not only its own.
if [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || [ "$(uname)" = Darwin ]; then
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
fi
if uv=$(command -v uv); then
    exec "$uv" "$@"
fi
if [ ! -x "$root/.uv/bin/uv" ]; then
    python=$(sh "$root/requirements/python.sh")
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        echo "$python has no venv module. Install it (Debian, Ubuntu: apt install python3-venv), or install uv, then try again." >&2
        exit 1
    fi
    echo "Fetching uv, the installer, into .uv" >&2
    rm -rf "$root/.uv"
    "$python" -m venv "$root/.uv"
    if ! "$root/.uv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: -r "$root/requirements/uv.txt"; then
        rm -rf "$root/.uv"
        echo "uv could not be fetched. Check the connection to your package index, or install uv, then try again." >&2
        exit 1
    fi
fi
exec "$root/.uv/bin/uv" "$@"
