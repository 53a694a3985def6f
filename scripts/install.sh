# Sets up .venv with vidstyle in it; sourced from the project's root by demo.sh and test.sh, which set
# `extra` to the extra they need ("" for none). Sets `python`. Nothing is fetched when nothing changed.
python=.venv/bin/python
[ -d .venv/Scripts ] && python=.venv/Scripts/python.exe
if ! "$python" -m pip --version >/dev/null 2>&1; then
    "${PYTHON:-python3}" -m venv --clear .venv
    [ -d .venv/Scripts ] && python=.venv/Scripts/python.exe
fi
is_current() { # whether the environment was set up with the extra $1 from these very files
    cat pyproject.toml scripts/constraints.txt | cmp -s - ".venv/installed${1:+-$1}"
}
if ! is_current "$extra" && ! { [ -z "$extra" ] && is_current test; }; then
    "$python" -m pip install --quiet --disable-pip-version-check \
        --constraint scripts/constraints.txt --editable ".${extra:+[$extra]}"
    cat pyproject.toml scripts/constraints.txt >".venv/installed${extra:+-$extra}"
fi
