//! Times of blocks, as their headers tell them.

use crate::{
    error::{Error, Result},
    rpc::RpcClient,
};
use serde_json::{json, Value};

/// Blocks asked for in one request.
const BATCH: usize = 100;

/// Times of the blocks from `first` to `last`, milliseconds since 1970.
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`]; [`Error::Other`] if a block is missing.
pub fn slots(rpc: &RpcClient, first: u32, last: u32) -> Result<Vec<u64>> {
    let heights: Vec<Value> = (first..=last).map(|height| json!([height])).collect();
    let mut times = Vec::new();
    for chunk in heights.chunks(BATCH) {
        let hashes = rpc.batch("chain_getBlockHash", chunk)?;
        let hashes: Vec<Value> =
            hashes.into_iter().map(|hash| hash.map(|hash| json!([hash]))).collect::<Result<_>>()?;
        for header in rpc.batch("chain_getHeader", &hashes)? {
            times.push(slot(&header?)?);
        }
    }
    Ok(times)
}

/// A block's Aura slot, which is its time in milliseconds.
fn slot(header: &Value) -> Result<u64> {
    // PreRuntime (6) ‖ "aura" ‖ length 8 ‖ u64 little-endian
    const PREFIX: &str = "0x066175726120";
    let logs = header["digest"]["logs"].as_array().cloned().unwrap_or_default();
    logs.iter()
        .filter_map(|log| log.as_str()?.strip_prefix(PREFIX))
        .find_map(|digits| {
            let bytes: [u8; 8] = hex::decode(digits).ok()?.try_into().ok()?;
            Some(u64::from_le_bytes(bytes))
        })
        .ok_or_else(|| Error::other(format!("no Aura slot in {header}")))
}
