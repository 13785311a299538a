# shellcheck shell=bash
# Sourced first by every script: strict mode, the repository as the working
# directory, and the few helpers that print, ask for root and show progress.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$ROOT"

say() { printf '%s\n' "$*" >&2; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Prints the comment block at the head of the calling script.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root and there is no sudo: run 'scripts/setup' as root once, then try again"
    fi
}

# step TITLE COMMAND…: runs the command under a title. Where nobody sees a
# progress bar (a pipe, CI) it says every half minute that it is still alive.
step() {
    local title=$1 start=$SECONDS ticker='' code=0
    shift
    say "==> $title"
    if [ ! -t 2 ]; then
        (
            while sleep 30 >/dev/null 2>&1; do
                say "    … $title: $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
            done
        ) </dev/null &
        ticker=$!
    fi
    "$@" || code=$?
    if [ -n "$ticker" ]; then
        kill "$ticker" 2>/dev/null || true
        wait "$ticker" 2>/dev/null || true
    fi
    if [ "$code" != 0 ]; then
        say "==> $title: failed after $((SECONDS - start)) s"
    elif [ $((SECONDS - start)) -ge 2 ]; then
        say "    $title: $((SECONDS - start)) s"
    fi
    return "$code"
}

# Everything a build needs: packages, WASM target, environment.
prepare() {
    scripts/setup
    # shellcheck source=scripts/lib/env.sh
    . scripts/lib/env.sh
    mkdir -p "$CARGO_TARGET_DIR"
    local free
    free=$(df -Pk "$CARGO_TARGET_DIR" | awk 'NR==2 {print int($4 / 1048576)}')
    if [ "$free" -lt 12 ] && [ ! -x "$CASCOIN_L2_BIN" ]; then
        say "warning: only $free GiB are free under $CARGO_TARGET_DIR, and a full build takes about 12 GiB;"
        say "         set CARGO_TARGET_DIR to a folder on a larger disk"
    fi
}

# in_copy COMMAND…: runs it in the copy of this clone that is built (scripts/lib/source.py).
in_copy() { python3 scripts/lib/source.py "$@"; }

# Always the whole workspace, never `-p`: cargo unites the features of what it
# is asked to build, so building one crate gives it other features than the
# workspace does, and it and what depends on it would be compiled twice.
# `--examples` builds a measurement (runtime/examples), and makes cargo count the
# tests' dependencies in.
build_programs() {
    local cold=
    [ -x "$CASCOIN_L2_BIN" ] || cold=" (the first time takes about half an hour on two cores)"
    step "building the node and its tools$cold" \
        in_copy cargo build --release --locked --workspace --bins --examples \
        || die "the build failed: the compiler's message is above; after a tool-chain upgrade 'scripts/setup' repairs the WASM target"
}
