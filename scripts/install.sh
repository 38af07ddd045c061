#!/bin/sh
# Install the pinned versions of constraints.txt into a virtual environment, and this clone as it
# is (editable), unless that is done. Interrupted, it goes on when it is called again.
# usage: scripts/install.sh PYTHON VENV
set -eu
python=$1
venv=$2

# It works only where it was made; it is half made until pip is whole, which writes INSTALLER last.
case $venv in /*) place=$venv ;; *) place=$(pwd -P)/$venv ;; esac
venv_works() {
    grep -Fqs -e " $place" "$venv/pyvenv.cfg" &&
        [ -e "$venv"/lib/python*/site-packages/pip-*.dist-info/INSTALLER ] &&
        "$venv/bin/python" -c ''
}
libraries=$venv/.installed
clone=$venv/.installed-clone
has_libraries() {
    [ -e "$libraries" ] && ! [ constraints.txt -nt "$libraries" ] && venv_works 2>/dev/null
}
if has_libraries && [ -e "$clone" ] && ! [ pyproject.toml -nt "$clone" ]; then
    exit
fi

# What the user has set for pip's index, certificates and cache stays. What would install something
# else or elsewhere does not; PIP_USER=0 also outdoes `user = true` in a pip.conf.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIREMENT PIP_CONSTRAINT \
    PIP_EDITABLE PIP_NO_DEPS PIP_NO_BINARY PIP_ONLY_BINARY PIP_REQUIRE_HASHES PIP_DRY_RUN \
    PIP_IGNORE_INSTALLED PIP_PYTHON
export PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
pip() {
    "$venv/bin/python" -m pip "$@"
}
ready_pip() {
    # What pip was unpacking when it was killed looks installed, and pip would leave it so.
    for package in "$venv"/lib/python*/site-packages/*.dist-info; do
        [ -e "$package/INSTALLER" ] || rm -rf "$package"
    done
    # where the cache cannot be written to, pip may fail to keep what it built instead of going on
    cache=$(pip cache dir 2>/dev/null) && mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] ||
        export PIP_NO_CACHE_DIR=1
}
install_clone() {
    # with the setuptools of constraints.txt instead of one that pip would fetch
    pip install -q --no-deps --no-build-isolation -e .
    : >"$clone"
}
if has_libraries; then
    ready_pip
    install_clone
    exit
fi

command -v "$python" >/dev/null || {
    echo "error: there is no $python; name Python 3.11 or newer with PYTHON=..., as in:" \
        "make PYTHON=python3.11 install" >&2
    exit 2
}
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
rm -f "$libraries" "$clone"
venv_works 2>/dev/null || "$python" -m venv --clear "$venv"
ready_pip

work=$(mktemp -d)
build=
trap '[ -z "$build" ] || kill "$build" 2>/dev/null || :; rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

# fairseq is built against the torch installed here instead of one that pip would fetch for the
# build. The flags shorten the build; the parts whose speed matters set their own.
grep -iE '^(torch|numpy|cython|setuptools)==' constraints.txt >"$work/first.txt"
grep -v '^fairseq' constraints.txt >"$work/others.txt"
pip install -q -r "$work/first.txt" -c constraints.txt
TMPDIR=$work CFLAGS="-O0 -g0" "$venv/bin/python" -m pip wheel -q --no-deps --no-build-isolation \
    -w "$work" "$(grep '^fairseq' constraints.txt)" >"$work/log" 2>&1 &
build=$!
pip install -q -r "$work/others.txt"
wait "$build" || {
    build=
    cat "$work/log" >&2
    echo "error: fairseq could not be built; if Python.h is missing: apt-get install python3-dev" >&2
    exit 2
}
build=
# without torchaudio, which fairseq names but does not need
pip install -q --no-deps "$work"/fairseq*.whl
: >"$libraries"
install_clone
