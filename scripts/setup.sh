#!/bin/sh
# Make what a target needs: setup.sh venv EXTRAS | system
#
#   venv EXTRAS   .venv with the package, editable, with EXTRAS (comma-separated)
#   system        the programs that the tests and benchmarks run beside the library
#
# Assumes Debian with Python >= 3.11, pip and make, and nothing else; asks nothing, so that it runs without a terminal.
set -eu

cd "$(dirname "$0")/.."

say() { printf '%s\n' "setup: $*" >&2; }
die() { say "$*"; exit 1; }

apt_install() {
    command -v apt-get >/dev/null 2>&1 || die "no apt-get here; please install yourself: $*"
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        die "not root, and no sudo without a password; please run once as root: apt-get install $*"
    fi
    say "installing $*"
    $as_root apt-get update -qq
    # RUNLEVEL=1 keeps a package from starting its service: we run nginx ourselves, on a port of our own.
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

fit() { "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for python in "${PYTHON:-python3}" python3.11 python3.12 python3.13 python3.14; do
        if fit "$python"; then
            printf '%s\n' "$python"
            return
        fi
    done
    die "no Python >= 3.11 found; set PYTHON=/path/to/one"
}

# Debian ships venv without ensurepip, that is, an environment without pip. The pip outside can fill it all the same
# (since 22.3), which needs no root; only where that fails too is the missing package installed.
make_venv() {
    python=$(find_python)
    say "creating .venv with $("$python" -V 2>&1)"
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 && return
    rm -rf .venv
    if "$python" -m venv --without-pip .venv &&
        "$python" -m pip --python .venv/bin/python install --quiet --no-input pip; then
        return
    fi
    rm -rf .venv
    apt_install python3-venv
    "$python" -m venv .venv
}

case "${1:-}" in
venv)
    .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
    say "installing kithara-file[$2] into .venv"
    .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check --retries 10 --editable ".[$2]" \
        </dev/null
    ;;
system)
    missing=
    # Not every user has /usr/sbin, where nginx lives, on the path.
    PATH="$PATH:/usr/sbin:/usr/local/sbin"
    command -v nginx >/dev/null 2>&1 || missing="$missing nginx-light"
    command -v curl >/dev/null 2>&1 || missing="$missing curl"
    # shellcheck disable=SC2086  # a list of words
    [ -z "$missing" ] || apt_install $missing
    ;;
*)
    die "usage: setup.sh venv EXTRAS | setup.sh system"
    ;;
esac
