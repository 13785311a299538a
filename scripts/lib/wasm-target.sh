# shellcheck shell=bash
# The WASM target of Debian's tool chain. Debian ships the compiler and the
# sources of its standard library, but not the library compiled for
# wasm32v1-none, which the runtime needs. It is compiled once from these
# sources and put beside the other targets.

WASM_TARGET=wasm32v1-none
WASM_LINKER=/usr/lib/llvm-22/bin/wasm-ld

wasm_target_dir() { printf '%s/lib/rustlib/%s/lib\n' "$(/usr/bin/rustc --print sysroot)" "$WASM_TARGET"; }

# Made with this very compiler, as its stamp says.
wasm_target_ready() {
    local folder
    [ -x /usr/bin/rustc ] || return 1
    folder=$(wasm_target_dir)
    [ -f "$folder/.made-with" ] && [ "$(cat "$folder/.made-with")" = "$(/usr/bin/rustc -vV)" ]
}

# Compiles and links a small module that uses core and alloc; link-time
# optimisation as the runtime's build has it.
wasm_target_works() {
    /usr/bin/rustc --edition 2021 --target "$WASM_TARGET" --crate-type cdylib -O -Clto=fat \
        -Clinker="$WASM_LINKER" -o "$1/probe.wasm" - <<'RUST' >"$1/probe.log" 2>&1
#![no_std]
extern crate alloc;
use alloc::vec::Vec;
struct Never;
unsafe impl core::alloc::GlobalAlloc for Never {
    unsafe fn alloc(&self, _: core::alloc::Layout) -> *mut u8 { core::ptr::null_mut() }
    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}
}
#[global_allocator]
static ALLOCATOR: Never = Never;
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
#[no_mangle]
pub extern "C" fn sum(n: u64) -> u64 { (0..n).collect::<Vec<u64>>().iter().sum() }
RUST
}

wasm_target_stamp() {
    /usr/bin/rustc -vV >"$1/made-with"
    as_root install -m 644 "$1/made-with" "$(wasm_target_dir)/.made-with"
}

wasm_target_build() {
    local work=$1
    mkdir -p "$work/src"
    printf '#![no_std]\n' >"$work/src/lib.rs"
    printf '[package]\nname = "none"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$work/Cargo.toml"
    # RUSTC_BOOTSTRAP opens -Zbuild-std on a stable compiler, here and nowhere else.
    (cd "$work" && PATH="/usr/bin:$PATH" CARGO_TARGET_DIR="$work/target" RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS="-C embed-bitcode=yes" /usr/bin/cargo build --release --target "$WASM_TARGET" \
        -Zbuild-std=core,alloc,compiler_builtins -Zbuild-std-features=compiler-builtins-mem)
}

wasm_target_install() {
    local folder deps=$1/target/$WASM_TARGET/release/deps
    folder=$(wasm_target_dir)
    as_root mkdir -p "$folder" || return 1
    # Libraries of an older compiler would be found and refused.
    as_root rm -f "$folder"/lib{core,alloc,compiler_builtins}-*.rlib "$folder/.made-with" || return 1
    as_root install -m 644 "$deps"/lib{core,alloc,compiler_builtins}-*.rlib "$folder/"
}

# Called by scripts/setup.
wasm_target_setup() {
    local work
    wasm_target_ready && return 0
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of now is meant
    trap "rm -rf '$work'" EXIT
    # Made by hand or by a distribution: kept if it works.
    if ! wasm_target_works "$work"; then
        step "compiling the standard library for $WASM_TARGET (about half a minute)" \
            wasm_target_build "$work" \
            || die "the WASM target could not be built (cargo's message is above); if it was the network, run scripts/setup again"
        wasm_target_install "$work" || die "could not write to $(wasm_target_dir)"
        wasm_target_works "$work" || {
            cat "$work/probe.log" >&2
            die "the WASM target was built but does not work: see the compiler's message above"
        }
    fi
    wasm_target_stamp "$work"
    rm -rf "$work"
    trap - EXIT
}
