//! `l2_createstakeproof`: the claim of a lock on L1 that larger ones crowded out of its block
//! (R2.3, ADR 0021).

use super::{common_inputs::failure, Context, RpcResult};
use crate::{
    address::show_account,
    args::{Args, Signature},
    errors::invalid_params,
};
use cascoin_l2_primitives::l1::{
    stake::{Locked, MIN_LOCK_BLOCKS},
    L1Hash,
};
use serde::Serialize;

pub(super) static CREATE_PROOF: Signature =
    Signature { method: "l2_createstakeproof", arguments: &["txid", "blockhash"], required: 2 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedProof {
    txid: L1Hash,
    l1_height: u32,
    /// Whether L2 has applied L1's block of this height; the claim fails before.
    is_applied: bool,
    /// Whose stake it is.
    address: String,
    amount: String,
    /// The L1 height that nobody can spend it at or below.
    unlock_height: u32,
    /// The call to sign and submit, SCALE in hex.
    call: String,
    message: &'static str,
}

pub(super) fn create_proof(context: &Context, args: &Args) -> RpcResult<CreatedProof> {
    let at = context.at_head()?;
    let txid = args.required::<L1Hash>(0, "the id of an L1 transaction")?;
    let block = args.required::<L1Hash>(1, "the hash of an L1 block")?;
    let proof = context.l1()?.inclusion(&txid, &block).map_err(failure)?;
    let transaction = proof
        .included()
        .ok_or_else(|| invalid_params("the header does not commit to the transaction"))?;
    let locked = Locked::in_transaction(&transaction)
        .ok_or_else(|| invalid_params("the transaction locks nothing as stake"))?;
    let l1_height = proof.height;
    if !locked.lasts_from(l1_height) {
        let refused = format!("it is locked for less than {MIN_LOCK_BLOCKS} blocks");
        return Err(invalid_params(refused));
    }
    if locked.chain_id != at.parameters.chain_id {
        let refused = format!("it is stake of the chain {}", locked.chain_id);
        return Err(invalid_params(refused));
    }
    let applied = context.chain.relay(at.head.hash)?.applied_height;
    let call = context.chain.claim_lock_call(at.head.hash, proof)?;
    Ok(CreatedProof {
        txid,
        l1_height,
        is_applied: l1_height <= applied,
        address: show_account(&locked.payload.account),
        amount: at.coins(locked.value),
        unlock_height: locked.payload.unlock,
        call: format!("0x{}", hex::encode(call)),
        message: "only for a lock that the chain was not told of: sign the call with any account \
                  that can pay its fee, and the lock counts for the address that it names",
    })
}
