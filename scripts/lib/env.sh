# shellcheck shell=bash
# The build environment: sourced by every script here, and by developers who
# call cargo themselves:  . scripts/lib/env.sh
#
# Cargo rebuilds everything when flags or the compiler change between two
# builds, so both are decided here and nowhere else. What a shell may have set
# for other projects is dropped.
unset RUSTC_BOOTSTRAP RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS
unset CARGO_BUILD_TARGET CARGO_INCREMENTAL

# Outside the clone, so that clones share it and a fresh clone is built warm.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/cascoin-l2/target}"
# The node that tests and demo start.
export CASCOIN_L2_BIN="${CASCOIN_L2_BIN:-$CARGO_TARGET_DIR/release/cascoin-l2}"

# Where the WASM target comes from: rustup's tool chain if it has the target,
# else Debian's (scripts/setup makes the target for it).
cascoin_rustup_target() {
    local rustc=${CARGO_HOME:-$HOME/.cargo}/bin/rustc
    [ -x "$rustc" ] && [ -d "$("$rustc" --print sysroot 2>/dev/null)/lib/rustlib/wasm32v1-none/lib" ]
}
if cascoin_rustup_target; then
    command -v cargo >/dev/null || export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
else
    case ":$PATH:" in :/usr/bin:*) ;; *) PATH="/usr/bin:$PATH" ;; esac
    export PATH
    if [ -x /usr/lib/llvm-22/bin/wasm-ld ]; then
        export CARGO_TARGET_WASM32V1_NONE_LINKER=/usr/lib/llvm-22/bin/wasm-ld
        # The node links about a thousand crates: seconds instead of a minute.
        cascoin_flags="-Clink-arg=-B/usr/lib/llvm-22/bin -Clink-arg=-fuse-ld=lld"
        export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="$cascoin_flags"
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="$cascoin_flags"
        unset cascoin_flags
    fi
fi
