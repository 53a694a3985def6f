#!/usr/bin/env bash
# Runs everything that has to pass: style, types, tests. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
extra=test
. scripts/install.sh
"$python" -m ruff check .
"$python" -m ruff format --check .
"$python" -m mypy
"$python" -m pytest --numprocesses auto --dist worksteal "$@"
