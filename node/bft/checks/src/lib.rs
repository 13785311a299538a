//! Nothing of its own: see `tests/model` (every state of a small network) and
//! `tests/differential` (the same inputs to this core and to Malachite's).
