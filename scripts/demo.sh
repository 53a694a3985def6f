#!/usr/bin/env bash
# Paints the sample clip in the sample style, on a machine that has Python 3.11 or newer and a package index.
set -eu
cd "$(dirname "$0")/.."
extra=""
. scripts/install.sh
"$python" -m vidstyle samples/clip.mp4 --style samples/starry.jpg --size 576 --iterations 8 --style-weight 10 \
    --output starry-clip.mp4 --overwrite "$@"
echo "the painted clip is $PWD/starry-clip.mp4; paint your own with .venv/bin/vidstyle"
