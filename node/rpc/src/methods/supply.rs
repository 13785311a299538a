//! `l2_gettotalsupply` and `l2_verifysupply` (ledger O7).

use super::{At, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    args::{Args, Signature},
    errors::Named,
};
use cascoin_l2_primitives::apis::SupplyReport;
use serde::Serialize;

pub(super) static TOTAL_SUPPLY: Signature =
    Signature { method: "l2_gettotalsupply", arguments: &[], required: 0 };
pub(super) static VERIFY_SUPPLY: Signature =
    Signature { method: "l2_verifysupply", arguments: &[], required: 0 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    chain_id: u32,
    block_number: u32,
    total_supply: String,
    /// Endowments of the genesis block: test networks only.
    genesis_supply: String,
    /// What the minted burns destroyed on L1: the same figure as what they
    /// minted, since a burn mints the value of its own output. Of burns that L1 dropped
    /// it has what could not be taken back (`deficit`).
    total_burned_l1: String,
    /// What of the minted coins is backed by the vault on L1.
    total_vaulted_l1: String,
    total_minted_l2: String,
    /// Fees burned, dust, slashes.
    total_burned_l2: String,
    burn_count: u64,
    rejected_count: u64,
    /// Taken back of burns that L1 dropped.
    clawed_back: String,
    /// Minted for burns that L1 dropped, and not there to be taken back.
    deficit: String,
    #[serde(flatten)]
    finality: Finality,
}

impl Totals {
    fn new(at: &At, supply: &SupplyReport) -> Self {
        Self {
            chain_id: at.parameters.chain_id,
            block_number: at.head.number,
            total_supply: at.coins(supply.issuance),
            genesis_supply: at.coins(supply.genesis),
            total_burned_l1: at.coins(supply.minted.saturating_sub(supply.vaulted)),
            total_vaulted_l1: at.coins(supply.vaulted),
            total_minted_l2: at.coins(supply.minted),
            total_burned_l2: at.coins(supply.burned_on_l2),
            burn_count: supply.burn_count,
            rejected_count: supply.rejected_count,
            clawed_back: at.coins(supply.clawed_back),
            deficit: at.coins(supply.deficit),
            finality: CERTIFIED,
        }
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TotalSupply {
    #[serde(flatten)]
    totals: Totals,
    invariant_valid: bool,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verification {
    valid: bool,
    #[serde(flatten)]
    totals: Totals,
    /// Whether supply + burned on L2 = genesis + minted.
    supply_matches_burned: bool,
    /// Left side minus right side.
    discrepancy: String,
    message: String,
}

pub(super) fn total_supply(context: &Context, _: &Args) -> RpcResult<TotalSupply> {
    let at = context.at_head()?;
    let supply = context.chain.supply(at.head.hash)?;
    Ok(TotalSupply { totals: Totals::new(&at, &supply), invariant_valid: supply.valid })
}

pub(super) fn verify_supply(context: &Context, _: &Args) -> RpcResult<Verification> {
    let at = context.at_head()?;
    let supply = context.chain.supply(at.head.hash)?;
    let there = supply.issuance.saturating_add(supply.burned_on_l2);
    let expected = supply.genesis.saturating_add(supply.minted);
    let sign = if there < expected { "-" } else { "" };
    let matches = there == expected;
    // The runtime also checks each block's rise, which these totals do not show.
    let valid = supply.valid && matches;
    Ok(Verification {
        valid,
        totals: Totals::new(&at, &supply),
        supply_matches_burned: matches,
        discrepancy: format!("{sign}{}", at.coins(there.abs_diff(expected))),
        message: match valid {
            true => "the supply is what was minted, less what was burned on L2".into(),
            false => format!(
                "{}: supply + burned on L2 must equal genesis + minted, and no block may raise \
                 the supply by more than it minted",
                Named::SupplyInvariantViolated.message(),
            ),
        },
    })
}
