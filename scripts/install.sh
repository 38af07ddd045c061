#!/bin/sh
# Install the pinned versions of constraints.txt into a virtual environment.
# usage: scripts/install.sh PYTHON VENV
set -eu
python=$1
venv=$2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "error: $python is $("$python" --version), but Python 3.11 or newer is needed;" \
        "name one with PYTHON=..., as in: make PYTHON=python3.11 install" >&2
    exit 2
}
"$python" -c 'import venv, ensurepip' || {
    echo "error: $python cannot make virtual environments: apt-get install python3-venv" >&2
    exit 2
}
command -v g++ >/dev/null || {
    echo "error: g++ is needed to build fairseq: apt-get install g++ python3-dev" >&2
    exit 2
}

echo "Installing into $venv: PyTorch, then fairseq, which is compiled, beside the other libraries."
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip"
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT

# fairseq is built against the torch installed here instead of one that pip would fetch for the
# build. The flags shorten the build; the parts whose speed matters set their own.
grep -E '^(torch|numpy|cython|setuptools)==' -i constraints.txt | $pip install -q -r /dev/stdin \
    -c constraints.txt
fairseq=$(grep '^fairseq' constraints.txt)
CFLAGS="-O0 -g0" $pip wheel -q --no-deps --no-build-isolation -w "$wheels" "$fairseq" \
    >"$wheels/log" 2>&1 &
build=$!
grep -v '^fairseq' constraints.txt | $pip install -q -r /dev/stdin
wait "$build" || {
    cat "$wheels/log" >&2
    echo "error: fairseq could not be built; if Python.h is missing: apt-get install python3-dev" >&2
    exit 2
}
# without torchaudio, which fairseq names but does not need
$pip install -q --no-deps "$wheels"/fairseq*.whl
