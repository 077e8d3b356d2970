#!/bin/sh
# Known vulnerabilities of what is installed for running, by the hashes of run.txt.
# 0: looked and found none. 1: found some. 2: the service was not reached, so nothing is known; with
# ACCORD_AUDIT=required (a pipeline that can reach it) that fails too, otherwise `make audit` says so and goes on.
set -u
cd "$(dirname "$0")/.."
told=$(mktemp)
trap 'rm -f "$told"' EXIT
.venv/bin/pip-audit --require-hashes --disable-pip --requirement requirements/run.txt --progress-spinner off \
    --timeout "${ACCORD_AUDIT_TIMEOUT_S:-15}" "$@" >"$told" 2>&1
code=$?
skipped=$(grep -c "could not be audited" "$told")
if [ "$skipped" -eq 0 ]; then cat "$told"; else grep "known vulnerabilit" "$told" | grep -v "^No known"; fi
if [ "$code" -ne 0 ] && grep -q "^Found .* known vulnerabilit" "$told"; then exit 1; fi
if [ "$code" -eq 0 ] && [ "$skipped" -eq 0 ] && grep -q "No known vulnerabilities found" "$told"; then exit 0; fi
echo "NOT AUDITED: the vulnerability service knew nothing of $skipped packages, or was not reached." >&2
[ "${ACCORD_AUDIT:-}" = required ] && exit 2
exit 0
