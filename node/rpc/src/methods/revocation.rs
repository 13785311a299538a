//! `l2_createrevocationtx`, and how the key that revokes is shown (R30.5).
//!
//! The key is cold and in no wallet that a node reaches, so nothing is funded or signed
//! here: what the transaction must say is given to whoever holds the key.

use super::{account::account, At, Context, RpcResult};
use crate::{
    address::show_account,
    args::{Args, Signature},
};
use cascoin_l2_primitives::{
    l1::{address::L1Address, revocation::Revocation},
    sequencers::RevocationKey,
};
use serde::Serialize;
use sp_core::H160;

pub(super) static CREATE_REVOCATION: Signature =
    Signature { method: "l2_createrevocationtx", arguments: &["address"], required: 1 };

/// The L1 key that revokes an account's session keys, as it stands in the next block.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamedKey {
    /// HASH160 of the key; null if there is none.
    key: Option<String>,
    /// Where coins for it are sent: its plain L1 address.
    l1_address: Option<String>,
    /// What it changes to; null if that is not to come.
    change: Option<KeyChange>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyChange {
    /// As above.
    key: Option<String>,
    l1_address: Option<String>,
    /// The first block in which it counts.
    from_block: u32,
}

pub(super) fn show(at: &At, named: RevocationKey) -> NamedKey {
    let key = |key: Option<H160>| key.map(|key| hex::encode(key.0));
    let address =
        |key: Option<H160>| key.map(|key| L1Address::PublicKeyHash(key.0).encode(at.l1_params()));
    NamedKey {
        key: key(named.key),
        l1_address: address(named.key),
        change: named.change.map(|change| KeyChange {
            key: key(change.key),
            l1_address: address(change.key),
            from_block: change.from,
        }),
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevocationTransaction {
    address: String,
    account: String,
    chain_id: u32,
    revocation_key: NamedKey,
    /// What `createrawtransaction` takes as `data`.
    data: String,
    /// The whole output script.
    script: String,
    confirmations_needed: u32,
    message: &'static str,
}

pub(super) fn create_revocation(
    context: &Context,
    args: &Args,
) -> RpcResult<RevocationTransaction> {
    let at = context.at_head()?;
    let account = account(&at, args)?;
    let keys = context.chain.revocation_keys(at.head.hash, vec![account.clone()])?;
    let named = keys.first().copied().unwrap_or_default();
    let revocation = Revocation { chain_id: at.parameters.chain_id, account };
    Ok(RevocationTransaction {
        address: show_account(&revocation.account),
        account: format!("0x{}", hex::encode(&revocation.account)),
        chain_id: revocation.chain_id,
        revocation_key: show(&at, named),
        data: hex::encode(revocation.data()),
        script: hex::encode(revocation.script()),
        confirmations_needed: at.parameters.l1_confirmations,
        message: match named.key {
            Some(_) => {
                "make an L1 transaction whose first input spends coins of the revocation key, from \
                 a plain or a nested segwit address, with this data in one output of value 0; \
                 when it is applied all session keys of the account are void"
            }
            None => {
                "the account has named no revocation key: nothing would follow from this. Name \
                 one with sequencerRegistry.setRevocationKey"
            }
        },
    })
}
