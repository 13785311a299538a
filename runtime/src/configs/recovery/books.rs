//! Which part of the state goes back.
//!
//! | goes back | but for |
//! |---|---|
//! | `System.Account`, as [`account`] says | nonces, activity, references |
//! | Balances, Multisig, Proxy | |
//! | BurnMint | `Stopped`, `Halted`: who decides that nothing is minted still does; `MintedBefore`: what burns had brought, which is noted when their records go back |
//! | Messages | |
//! | ForcedInclusion | `CensorRecords`, `Unpunished`: what is known against whom; `LeftOut`, which is gone: what leaders left out is punished, or was asked of them on an L1 that is no more |
//! | L2Registry | `Rules`, `OwnBootstrap`: a chain that opened does not close again |
//! | Stake | |
//! | Rewards | `Penalties`; `FullnessAverages`, `DampedTerm`: the price is that of today |
//! | Compensation | |
//!
//! Nothing that goes back is a time that would count what was since as an outage: heights and
//! times in it lie behind, so windows that were open close, and what was due is due. All else
//! of the state stays. Values that are there within a block only (`InBlock`, `Duty`, `Entered`,
//! `MintedInBlock`) are in no state that pages show.
//!
//! Parts are whole pallets, because what is left out of a list of items would be a hole in
//! their invariants; what stays in them is an exception that somebody thought about.

use super::{account, mending, outcomes, repeat};
use crate::{
    AccountId, Balances, BlockNumber, BurnMint, Compensation, ForcedInclusion, L2Registry,
    Messages, Multisig, Proxy, Rewards, Runtime, Stake, System,
};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::{
    apis::BurnRecord,
    recovery::{Books, Fall, Outcome},
};
use codec::Decode;
use frame_support::{
    pallet_prelude::ValueQuery,
    storage::storage_prefix,
    storage_alias,
    traits::PalletInfoAccess,
    weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight},
    StorageHasher, Twox128,
};
use frame_system::SetCode;
use sp_runtime::DispatchResult;

/// The first block that is all this code's: by the end of the one before it, this code was put
/// in place, and the state still was another's. 0 for the code of genesis.
#[storage_alias]
type CodeSince = StorageValue<RecoveryBooks, BlockNumber, ValueQuery>;

/// Bytes of a key of `System.Account` before the account: the prefix and the hash in front.
const BEFORE_ACCOUNT: usize = 32 + 16;
/// Hashing and decoding of one key, generously.
const MERGE_MICROS: u64 = 10;

/// Notes that the next block is the first of another code. Where an upgrade runs, the number
/// is that of the last block still, as it is where the code is set.
pub(crate) fn note_code_change() -> Weight {
    let last = System::block_number();
    // No block is before the first.
    CodeSince::put(if last == 0 { 0 } else { last.saturating_add(1) });
    <Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1)
}

/// Puts new code in place, and notes it at once: a recovery that begins in this block would
/// meet a state that the next one changes. Code whose version is no other is noted, too.
pub struct NotedCode;

impl SetCode<Runtime> for NotedCode {
    fn set_code(code: Vec<u8>) -> DispatchResult {
        // A block that sets code has no room for anything else.
        let _ = note_code_change();
        <() as SetCode<Runtime>>::set_code(code)
    }
}

/// The state of users' money.
pub struct Money;

impl Books for Money {
    fn parts() -> Vec<Vec<u8>> {
        let pallets = [
            Balances::name_hash(),
            Multisig::name_hash(),
            Proxy::name_hash(),
            BurnMint::name_hash(),
            Messages::name_hash(),
            ForcedInclusion::name_hash(),
            L2Registry::name_hash(),
            Stake::name_hash(),
            Rewards::name_hash(),
            Compensation::name_hash(),
        ];
        let mut parts = vec![accounts().to_vec()];
        parts.extend(pallets.iter().map(|prefix| prefix.to_vec()));
        parts
    }

    fn merge(key: &[u8], old: Option<Vec<u8>>, now: Option<Vec<u8>>) -> Option<Vec<u8>> {
        if let Some(who) = account_of(key) {
            account::merge(&who, old, now)
        } else if stays(key) {
            now
        } else if is_item(key, &ForcedInclusion::name_hash(), &[b"LeftOut"]) {
            None
        } else {
            if is_item(key, &BurnMint::name_hash(), &[b"Burns"]) {
                note_minted(old.as_deref(), now.as_deref());
            }
            old
        }
    }

    fn mend(since: BlockNumber, step: u32) -> Option<u32> {
        mending::mend(since, step)
    }

    fn mend_weight() -> Weight {
        mending::step_weight()
    }

    // Whether the account has session keys is read, or what a burn had brought is noted.
    fn merge_weight() -> Weight {
        Weight::from_parts(MERGE_MICROS.saturating_mul(WEIGHT_REF_TIME_PER_MICROS), 0)
            .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1))
    }

    fn code_changed_after(block: BlockNumber) -> bool {
        CodeSince::get() > block
    }

    fn may_repeat(block: BlockNumber) -> bool {
        mending::may_repeat(block)
    }

    fn signer(transaction: &[u8]) -> Option<AccountId> {
        repeat::signer(transaction)
    }

    fn weight(transaction: &[u8]) -> Weight {
        repeat::weight(transaction)
    }

    fn repeat(transaction: &[u8]) -> Result<Weight, Fall> {
        repeat::repeat(transaction)
    }

    fn use_up(transaction: &[u8]) {
        repeat::pass_over(transaction);
    }

    fn use_up_weight() -> Weight {
        repeat::pass_over_weight()
    }

    fn outcomes(events: &[u8]) -> Option<Vec<(u32, Outcome)>> {
        outcomes::transaction_outcomes(events)
    }

    fn outcomes_weight(bytes: u32) -> Weight {
        outcomes::outcomes_weight(bytes)
    }
}

fn accounts() -> [u8; 32] {
    storage_prefix(b"System", b"Account")
}

fn account_of(key: &[u8]) -> Option<AccountId> {
    let mut account = key.strip_prefix(&accounts()[..]).and_then(|_| key.get(BEFORE_ACCOUNT..))?;
    AccountId::decode(&mut account).ok()
}

// What a burn has brought since the point is minted again as soon as L1 brings it again.
fn note_minted(old: Option<&[u8]>, now: Option<&[u8]>) {
    let read = |value: Option<&[u8]>| BurnRecord::decode(&mut value?).ok();
    let before = read(old).map_or(0, |record| record.minted);
    if let Some(record) = read(now).filter(|record| record.minted > before) {
        BurnMint::note_minted_before(record.outpoint, record.minted);
    }
}

fn stays(key: &[u8]) -> bool {
    let of_burns: [&[u8]; 4] = [b"Stopped", b"Halted", b"MintedBefore", b"MintedBeforeRange"];
    is_item(key, &BurnMint::name_hash(), &of_burns)
        || is_item(key, &ForcedInclusion::name_hash(), &[b"CensorRecords", b"Unpunished"])
        || is_item(key, &L2Registry::name_hash(), &[b"Rules", b"OwnBootstrap"])
        || is_item(key, &Rewards::name_hash(), &[b"Penalties", b"FullnessAverages", b"DampedTerm"])
}

/// Whether a key belongs to one of these items of a pallet.
fn is_item(key: &[u8], pallet: &[u8; 16], items: &[&[u8]]) -> bool {
    key.strip_prefix(&pallet[..])
        .is_some_and(|rest| items.iter().any(|item| rest.starts_with(&Twox128::hash(item))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::{
        apis::{BurnOutcome, Peg},
        l1::{L1Hash, OutPoint},
    };
    use codec::Encode;
    use frame_support::storage::StoragePrefixedMap;

    #[test]
    fn p20_no_part_begins_another() {
        let parts = Money::parts();
        for (index, one) in parts.iter().enumerate() {
            for (other_index, other) in parts.iter().enumerate() {
                assert!(index == other_index || !other.starts_with(one));
            }
        }
        assert!(parts.contains(&Twox128::hash(b"Balances").to_vec()));
        let account = frame_system::Account::<Runtime>::final_prefix();
        assert!(parts.contains(&account.to_vec()));
    }

    /// A migration changes the state of the last block of the old code.
    #[test]
    fn p20_a_state_of_other_code_is_never_gone_back_to() {
        sp_io::TestExternalities::default().execute_with(|| {
            note_code_change();
            assert!(!Money::code_changed_after(0), "it is that of genesis");
            System::set_block_number(7);
            let check = || {
                assert!(Money::code_changed_after(7), "the next block migrates it");
                assert!(!Money::code_changed_after(8));
            };
            // As the next block begins with another version.
            note_code_change();
            check();
            CodeSince::kill();
            // In the block itself, whatever the version.
            <NotedCode as SetCode<Runtime>>::set_code(vec![1, 2, 3]).expect("anything is code");
            check();
            let code = sp_io::storage::get(sp_core::storage::well_known_keys::CODE);
            assert_eq!(code.map(|code| code.to_vec()), Some(vec![1, 2, 3]));
        });
    }

    /// The exceptions are named by bytes: an item that is renamed must not lose its own.
    #[test]
    fn p20_what_stays_is_what_its_pallet_calls_so() {
        let kept = [
            pallet_burn_mint::Stopped::<Runtime>::hashed_key().to_vec(),
            pallet_burn_mint::Halted::<Runtime>::hashed_key().to_vec(),
            pallet_burn_mint::MintedBefore::<Runtime>::final_prefix().to_vec(),
            pallet_burn_mint::MintedBeforeRange::<Runtime>::hashed_key().to_vec(),
            pallet_forced_inclusion::CensorRecords::<Runtime>::hashed_key().to_vec(),
            pallet_forced_inclusion::Unpunished::<Runtime>::hashed_key().to_vec(),
            pallet_l2_registry::Rules::<Runtime>::hashed_key().to_vec(),
            pallet_l2_registry::OwnBootstrap::<Runtime>::hashed_key().to_vec(),
            pallet_rewards::Penalties::<Runtime>::hashed_key().to_vec(),
            pallet_rewards::FullnessAverages::<Runtime>::hashed_key().to_vec(),
            pallet_rewards::DampedTerm::<Runtime>::hashed_key().to_vec(),
        ];
        let (old, now) = (Some(vec![1]), Some(vec![2]));
        for key in kept {
            assert_eq!(Money::merge(&key, old.clone(), now.clone()), now);
            assert_eq!(Money::merge(&key, old.clone(), None), None);
        }
        let left_out = pallet_forced_inclusion::LeftOut::<Runtime>::final_prefix().to_vec();
        assert_eq!(Money::merge(&left_out, old.clone(), now.clone()), None);
        let back = [
            pallet_burn_mint::Deficit::<Runtime>::hashed_key().to_vec(),
            pallet_rewards::BonusPool::<Runtime>::hashed_key().to_vec(),
            pallet_forced_inclusion::Queue::<Runtime>::hashed_key().to_vec(),
            pallet_stake::Ledgers::<Runtime>::final_prefix().to_vec(),
        ];
        for key in back {
            assert_eq!(Money::merge(&key, old.clone(), now.clone()), old);
            assert_eq!(Money::merge(&key, None, now.clone()), None);
        }
    }

    #[test]
    fn p20_of_burns_that_go_back_it_is_noted_what_they_had_brought() {
        let burn = |tx: u8, minted: u64| BurnRecord {
            outpoint: OutPoint { txid: L1Hash([tx; 32]), vout: 1 },
            peg: Peg::Burn,
            value: 100,
            minted,
            encoded_amount: 100,
            recipient: Some(AccountId::new([1; 32])),
            outcome: BurnOutcome::Deferred,
            l1_height: 7,
            l1_hash: L1Hash([7; 32]),
            block: 3,
            time: 4,
        };
        let merge = |old: Option<BurnRecord>, now: Option<BurnRecord>| {
            let key = pallet_burn_mint::Burns::<Runtime>::final_prefix();
            let old = old.map(|record| record.encode());
            assert_eq!(Money::merge(&key, old.clone(), now.map(|record| record.encode())), old);
        };
        sp_io::TestExternalities::default().execute_with(|| {
            merge(None, Some(burn(1, 0)));
            merge(Some(burn(2, 40)), Some(burn(2, 40)));
            merge(Some(burn(3, 40)), None);
            assert!(!BurnMint::mints_again());
            merge(None, Some(burn(4, 70)));
            merge(Some(burn(5, 40)), Some(burn(5, 90)));
            let noted: Vec<_> = (0..2u64)
                .filter_map(pallet_burn_mint::MintedBefore::<Runtime>::get)
                .map(|before| (before.outpoint.txid.0[0], before.minted))
                .collect();
            assert_eq!(noted, [(4, 70), (5, 90)]);
            assert_eq!(pallet_burn_mint::MintedBeforeRange::<Runtime>::get(), (0, 2));
        });
    }
}
