//! `l2_createcommoninputsproof`: the report that one wallet spent coins of two accounts
//! together on L1 (R22.2).

use super::{account::account_at, Context, RpcResult};
use crate::{
    address::show_account,
    args::{Args, Signature},
    errors::{invalid_params, Named},
};
use cascoin_l1::{inclusion::InclusionError, L1Error};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        common_inputs::{CommonInputsProof, NotProven},
        L1Hash,
    },
};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use sp_core::ecdsa;

pub(super) static CREATE_PROOF: Signature = Signature {
    method: "l2_createcommoninputsproof",
    arguments: &["first", "second", "txid", "blockhash"],
    required: 4,
};

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedProof {
    first: String,
    second: String,
    txid: L1Hash,
    l1_height: u32,
    /// Whether L2 has applied L1's block of this height; the report fails before.
    is_applied: bool,
    /// The inputs that are the two accounts'.
    inputs: [u32; 2],
    /// The call to sign and submit, SCALE in hex.
    call: String,
    message: &'static str,
}

/// Why there is no proof, by whose fault it is.
pub(super) fn failure(error: InclusionError) -> ErrorObjectOwned {
    match error {
        InclusionError::L1(error @ (L1Error::Rpc { .. } | L1Error::Pruned { .. })) => {
            Named::L1Refused.with(error)
        }
        InclusionError::L1(error) => Named::L1Unavailable.with(error),
        InclusionError::NotOnBestChain | InclusionError::NotInBlock | InclusionError::TooLong => {
            invalid_params(error.to_string())
        }
    }
}

/// The first inputs of each that two keys signed: both accounts may have proven one key's
/// address, which alone proves nothing.
fn two_inputs(first: &[(u32, ecdsa::Public)], second: &[(u32, ecdsa::Public)]) -> Option<[u32; 2]> {
    first.iter().find_map(|(one, key)| {
        let mut others = second.iter().filter(|(_, other)| other != key);
        others.next().map(|(other, _)| [*one, *other])
    })
}

pub(super) fn create_proof(context: &Context, args: &Args) -> RpcResult<CreatedProof> {
    let at = context.at_head()?;
    let accounts = [account_at(&at, args, 0)?, account_at(&at, args, 1)?];
    let txid = args.required::<L1Hash>(2, "the id of an L1 transaction")?;
    let block = args.required::<L1Hash>(3, "the hash of an L1 block")?;
    let inclusion = context.l1()?.inclusion(&txid, &block).map_err(failure)?;
    let transaction = inclusion
        .included()
        .ok_or_else(|| invalid_params("the header does not commit to the transaction"))?;
    let spends: Vec<(u32, ecdsa::Public)> = (0u32..)
        .zip(&transaction.inputs)
        .filter_map(|(index, _)| {
            let spend = transaction.key_spend(usize::try_from(index).ok()?)?;
            Some((index, spend.key))
        })
        .collect();
    let own = |account: &AccountId| -> RpcResult<Vec<(u32, ecdsa::Public)>> {
        let keys = spends.iter().map(|(_, key)| *key).collect();
        let holds = context.chain.holds_l1_keys(at.head.hash, account.clone(), keys)?;
        let own = spends.iter().zip(holds).filter(|(_, holds)| *holds);
        let own: Vec<_> = own.map(|(spend, _)| *spend).collect();
        if own.is_empty() {
            let account = show_account(account);
            return Err(invalid_params(format!(
                "no input is spent, by one signature over all and one compressed key, with a key \
                 whose address {account} has proven on L2"
            )));
        }
        Ok(own)
    };
    let (of_first, of_second) = (own(&accounts[0])?, own(&accounts[1])?);
    let inputs = two_inputs(&of_first, &of_second)
        .ok_or_else(|| invalid_params(NotProven::OneKey.to_string()))?;
    let l1_height = inclusion.height;
    let proof = CommonInputsProof { inclusion, first: inputs[0], second: inputs[1] };
    let recover = |signature: &[u8; 65], digest: &[u8; 32]| {
        ecdsa::Signature::from_raw(*signature).recover_prehashed(digest).map(|key| key.0)
    };
    proof.check(recover).map_err(|reason| invalid_params(reason.to_string()))?;
    let applied = context.chain.relay(at.head.hash)?.applied_height;
    let [first, second] = accounts;
    let shown = [show_account(&first), show_account(&second)];
    let call = context.chain.common_inputs_call(at.head.hash, first, second, proof)?;
    let [first, second] = shown;
    Ok(CreatedProof {
        first,
        second,
        txid,
        l1_height,
        is_applied: l1_height <= applied,
        inputs,
        call: format!("0x{}", hex::encode(call)),
        message: "sign the call with any account; it is free if it tells the chain something \
                  new, and makes the two one entity for good",
    })
}
