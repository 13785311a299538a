//! Targets of `scripts/fuzz` (R43.5): every reader of bytes that strangers write. Each
//! checks what must hold whatever they write, not only that nothing panics.

mod consensus;
mod l1;
mod messages;
mod relay;

use codec::{DecodeAll, Encode};

/// Reads all of `bytes`; what is read must be written as the same bytes, so that no two
/// messages are one.
fn scale<T: DecodeAll + Encode>(bytes: &[u8]) -> Option<T> {
    let value = T::decode_all(&mut &*bytes).ok()?;
    assert_eq!(value.encode(), bytes, "read in another form than it is written in");
    Some(value)
}
