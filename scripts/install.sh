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

echo "Installing into $venv: PyTorch and libraries first, then fairseq, which is compiled here."
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
grep -v '^fairseq' constraints.txt | "$venv/bin/python" -m pip install -q -r /dev/stdin
# fairseq is built against the torch above instead of one that pip would fetch for the build, and
# without torchaudio, which it names but does not need. The flags shorten the build; the parts
# whose speed matters set their own.
CFLAGS="-O0 -g0" "$venv/bin/python" -m pip install -q --no-deps --no-build-isolation \
    "$(grep '^fairseq' constraints.txt)"
