//! Stake, between those who hold it and those who ask for it.

use crate::{
    chain::{AccountId, Balance, ChainParameters},
    l1::params::L1Params,
};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Locks on L1 that one account may have.
pub const MAX_L1_LOCKS: u32 = 16;

impl ChainParameters {
    /// Smallest lock on L1 that is stake, base units: as many as an account may have are
    /// a sequencer's least stake.
    pub fn min_l1_lock(&self) -> Balance {
        self.min_sequencer_stake.div_ceil(MAX_L1_LOCKS.into())
    }

    /// How many L1 blocks a lock must still last to count: as many as are meant to be
    /// found in a challenge period, for which bonded stake stays on hold, too.
    pub fn l1_stake_margin(&self) -> u32 {
        let spacing = L1Params::of(self.l1_network).spacing_s;
        let blocks = self.challenge_period_s.div_ceil(spacing.max(1).into());
        u32::try_from(blocks).unwrap_or(u32::MAX)
    }
}

/// What an account has at stake, by where it lies. Base units.
///
/// Coins on this chain can be taken for an offence, coins that are locked on L1 cannot.
/// So at least a share of what counts must lie here: locks count as far as what is bonded
/// covers them. Only locks that genesis names count by themselves, because a chain begins
/// without coins (ADR 0021).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct StakeParts {
    /// Bonded on this chain.
    pub bonded: Balance,
    /// Locked on L1 for long enough.
    pub locked: Balance,
    /// Of `locked`, what genesis names.
    pub named: Balance,
}

impl StakeParts {
    /// What counts, where at least `min_share` percent of it must be bonded here.
    pub fn counting(&self, min_share: u8) -> Balance {
        let covered = match min_share {
            0 => Balance::MAX,
            share => {
                let rest = Balance::from(100u8.saturating_sub(share));
                let product = self.bonded.saturating_mul(rest);
                product.checked_div(share.into()).unwrap_or(0)
            }
        };
        let unnamed = self.locked.saturating_sub(self.named);
        self.bonded.saturating_add(self.named).saturating_add(unnamed.min(covered))
    }

    /// What has to be bonded besides so that `wanted` counts.
    pub fn to_bond(&self, wanted: Balance, min_share: u8) -> Balance {
        let wanted = wanted.saturating_sub(self.named);
        let unnamed = self.locked.saturating_sub(self.named);
        let beside_locks = wanted.saturating_sub(unnamed);
        let as_share = wanted.saturating_mul(min_share.min(100).into()).div_ceil(100);
        beside_locks.max(as_share).saturating_sub(self.bonded)
    }
}

/// What accounts have at stake.
pub trait StakeProvider {
    /// What is bonded, without what is being unbonded, and what is locked on L1 for long
    /// enough.
    fn parts(account: &AccountId) -> StakeParts;

    /// Least share of what counts that must be bonded, percent.
    fn min_l2_share() -> u8;

    /// What counts, base units.
    fn stake(account: &AccountId) -> Balance {
        Self::parts(account).counting(Self::min_l2_share())
    }
}

/// What accounts must keep at stake.
pub trait StakeCommitment {
    /// What must stay at stake while the account does what it does; 0 for one that does
    /// nothing.
    fn committed(account: &AccountId) -> Balance;
}

/// Nobody is committed to anything.
impl StakeCommitment for () {
    fn committed(_: &AccountId) -> Balance {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_lock_must_outlast_a_challenge() {
        let parameters = ChainParameters {
            l1_network: crate::chain::L1Network::CascoinMainnet,
            challenge_period_s: 7 * 86_400 + 1,
            min_sequencer_stake: 1_000_000_001,
            ..Default::default()
        };
        assert_eq!(parameters.l1_stake_margin(), 4_033);
        assert_eq!(parameters.min_l1_lock(), 62_500_001);
    }

    #[test]
    fn locks_count_as_far_as_bonds_cover_them() {
        let of = |bonded, locked, named| StakeParts { bonded, locked, named };
        assert_eq!(of(0, 100, 0).counting(50), 0, "nothing is at risk");
        assert_eq!(of(30, 100, 0).counting(50), 60);
        assert_eq!(of(100, 30, 0).counting(50), 130);
        assert_eq!(of(25, 100, 0).counting(25), 100);
        assert_eq!(of(30, 100, 0).counting(100), 30, "such a chain takes no locks");
        assert_eq!(of(0, 100, 0).counting(0), 100);
        // What genesis names needs no cover, and covers nothing.
        assert_eq!(of(0, 100, 100).counting(50), 100);
        assert_eq!(of(0, 150, 100).counting(50), 100);
        assert_eq!(of(20, 150, 100).counting(50), 140);
    }

    #[test]
    fn what_is_to_be_bonded_is_told() {
        let of = |bonded, locked, named| StakeParts { bonded, locked, named };
        assert_eq!(of(0, 0, 0).to_bond(100, 50), 100);
        assert_eq!(of(0, 1_000, 0).to_bond(100, 50), 50);
        assert_eq!(of(20, 30, 0).to_bond(100, 50), 50);
        assert_eq!(of(90, 30, 0).to_bond(100, 50), 0);
        assert_eq!(of(0, 100, 100).to_bond(100, 50), 0);
    }

    fn any_parts() -> impl Strategy<Value = StakeParts> {
        (0u128..1 << 70, 0u128..1 << 70, 0u128..1 << 70).prop_map(|(bonded, unnamed, named)| {
            StakeParts { bonded, locked: unnamed + named, named }
        })
    }

    proptest! {
        /// R2.3: the share at risk is never below the chain's, and no more counts than
        /// there is.
        #[test]
        fn r2_3_what_counts_is_there_and_enough_of_it_is_at_risk(
            parts in any_parts(), share in 0u8..=100,
        ) {
            let counts = parts.counting(share);
            prop_assert!(counts >= parts.bonded);
            prop_assert!(counts <= parts.bonded + parts.locked);
            prop_assert!(parts.bonded * 100 >= (counts - parts.named) * u128::from(share));
        }

        #[test]
        fn more_never_counts_less(parts in any_parts(), more in 0u128..1 << 70, share in 0u8..=100) {
            let counts = parts.counting(share);
            let bonded = StakeParts { bonded: parts.bonded + more, ..parts };
            let locked = StakeParts { locked: parts.locked + more, ..parts };
            prop_assert!(bonded.counting(share) >= counts + more);
            prop_assert!((counts..=counts + more).contains(&locked.counting(share)));
        }

        #[test]
        fn what_is_told_to_be_bonded_is_enough_and_no_more_than_that(
            parts in any_parts(), wanted in 0u128..1 << 71, share in 0u8..=100,
        ) {
            let more = parts.to_bond(wanted, share);
            let with = |more| StakeParts { bonded: parts.bonded + more, ..parts }.counting(share);
            prop_assert!(with(more) >= wanted);
            prop_assert!(more == 0 || with(more - 1) < wanted);
        }

        #[test]
        fn no_amount_overflows(bonded: u128, locked: u128, named: u128, wanted: u128, share: u8) {
            let parts = StakeParts { bonded, locked, named };
            let _ = (parts.counting(share), parts.to_bond(wanted, share));
        }
    }
}
