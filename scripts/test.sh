#!/usr/bin/env bash
# Runs everything that has to pass: style, types, tests. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
extra=test
. scripts/install.sh
browser=${VIDSTYLE_BROWSER:-$(command -v chromium chromium-browser google-chrome google-chrome-stable | head -n 1 || true)}
[ -n "$browser" ] || echo "no browser is installed, so the studio's page is not tested: install chromium, or name one in VIDSTYLE_BROWSER"
"$python" -m ruff check .
"$python" -m ruff format --check .
"$python" -m mypy
# A test in each core; threads of their own would only wait for each other (a quarter more time in all on two cores).
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
"$python" -m pytest --numprocesses auto --dist worksteal -m "not slow" "$@" || [ $? -eq 5 ]
# One after the other: each keeps all cores busy. 5 is that there are none among what was asked for.
"$python" -m pytest -m slow "$@" || [ $? -eq 5 ]
