#!/bin/sh
# Makes .venv hold exactly what a lock file says: `ops/bootstrap.sh requirements.lock`.
# Says in one sentence what is missing on this machine. A second run takes milliseconds; an interrupted one is repeated.
set -eu
cd "$(dirname "$0")/.."
lock=$1
venv=.venv

refuse() {
    echo "$1" >&2
    exit 2
}

new_enough() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 || refuse "PYTHON=$PYTHON was not found."
        new_enough "$PYTHON" || refuse "PYTHON=$PYTHON is $("$PYTHON" --version 2>&1 | head -n 1), and OCPPLAB Gateway needs Python 3.11, 3.12 or 3.13."
        return
    fi
    for PYTHON in python3 python3.13 python3.12 python3.11; do
        if command -v "$PYTHON" >/dev/null 2>&1 && new_enough "$PYTHON"; then return; fi
    done
    if command -v python3 >/dev/null 2>&1; then
        refuse "$(python3 --version 2>&1) is not what OCPPLAB Gateway needs (3.11, 3.12 or 3.13). On Debian 12 or newer: apt install python3 python3-venv"
    fi
    refuse "Python is missing. On Debian: apt install python3 python3-venv"
}

# A pip that answers: a venv whose creation was interrupted has none, and one whose Python was removed cannot start.
whole() {
    [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

stamp=$venv/.installed-$(basename "$lock")
wanted=$(cksum <"$lock")
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && [ -x "$venv/bin/python" ]; then exit 0; fi

command -v git >/dev/null 2>&1 || refuse "git is missing. On Debian: apt install git"
[ -w . ] || refuse "Cannot write to $(pwd): the environment .venv is created there. Clone the project into a folder of yours."
if ! whole; then
    find_python
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        refuse "Python's venv module is missing. On Debian: apt install python3-venv"
    echo "Creating $venv with $("$PYTHON" --version) ..."
    "$PYTHON" -m venv --clear "$venv" || refuse "Could not create $venv; the lines above say why."
fi
rm -f "$stamp"
echo "Installing what $lock names ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" ||
    refuse "The installation did not finish; the lines above say why. Run the same command again once that is mended."
echo "$wanted" >"$stamp"
