"""Brings a chain spec into the form kept in chain-specs/: stable order and
indentation, without the WASM code, whose bytes depend on where and by which
compiler it was built.

    chain_spec.py < spec.json > normal.json
"""
import json
import sys

CODE_KEY = "0x3a636f6465"  # ":code"
LEFT_OUT = "0x"


def normalise(spec):
    """Replaces the code by nothing, in a plain and in a raw spec."""
    genesis = spec.get("genesis", {})
    if "code" in genesis.get("runtimeGenesis", {}):
        genesis["runtimeGenesis"]["code"] = LEFT_OUT
    top = genesis.get("raw", {}).get("top", {})
    if CODE_KEY in top:
        top[CODE_KEY] = LEFT_OUT
    return json.dumps(spec, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    try:
        sys.stdout.write(normalise(json.load(sys.stdin)))
    except json.JSONDecodeError as error:
        sys.exit(f"chain_spec.py: not a chain spec: {error}")
