//! What a transaction locks as a sequencer's stake
//! ([`cascoin_l2_primitives::l1::stake`]).
//!
//! Everything is seen from the block alone: a message, and an output whose script hash is
//! the one that the message leads to. Whatever is malformed, locks nothing or is locked
//! too shortly is passed over, by the same rule on every node.

use crate::block::{BlockTransaction, Output};
pub use cascoin_l2_primitives::l1::stake::Locked;
use cascoin_l2_primitives::{
    l1::stake::{coin_blocks, StakePayload, LOCK_VOUT},
    relay::{L1Event, MAX_STAKE_PER_BLOCK},
};
use sp_core::H160;
use std::cmp::Reverse;

/// What a transaction with these output scripts locks in `output`, its output [`LOCK_VOUT`].
pub fn locked<'a>(output: &Output<'_>, scripts: impl Iterator<Item = &'a [u8]>) -> Option<Locked> {
    Locked::read(output.value, output.script, scripts)
}

/// The stake that a transaction of a block at `height` brings.
pub fn lock(transaction: &BlockTransaction<'_>, height: u32) -> Option<L1Event> {
    let (outpoint, output) = transaction.outputs().nth(LOCK_VOUT)?;
    let scripts = transaction.outputs().map(|(_, output)| output.script);
    let locked = locked(&output, scripts).filter(|locked| locked.lasts_from(height))?;
    let Locked { chain_id, payload, value } = locked;
    let StakePayload { account, unlock, owner } = payload;
    Some(L1Event::Stake { outpoint, chain_id, account, owner: H160(owner), value, unlock })
}

/// Without the stake that has fewer coin-blocks than [`MAX_STAKE_PER_BLOCK`] others of the
/// block at `height`. Of equal ones the earlier stay.
pub fn keep_largest(events: Vec<L1Event>, height: u32) -> Vec<L1Event> {
    let rank = |(place, event): (usize, &L1Event)| match event {
        L1Event::Stake { value, unlock, .. } => {
            Some((Reverse(coin_blocks(*value, *unlock, height)), place))
        }
        L1Event::Burn { .. }
        | L1Event::Trust(_)
        | L1Event::KeyRevocation { .. }
        | L1Event::Message { .. }
        | L1Event::ForcedTransaction { .. }
        | L1Event::ChainRegistration { .. }
        | L1Event::VaultDeposit { .. } => None,
    };
    let mut ranks: Vec<_> = events.iter().enumerate().filter_map(rank).collect();
    ranks.sort_unstable();
    let Some(first_out) = ranks.get(MAX_STAKE_PER_BLOCK).copied() else { return events };
    let stays = |place, event| rank((place, event)).is_none_or(|rank| rank < first_out);
    let kept = events.iter().enumerate().filter(|(place, event)| stays(*place, *event));
    kept.map(|(_, event)| event.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::{
            builder::{block, transaction},
            Transaction,
        },
        events::events,
    };
    use cascoin_l2_primitives::{
        chain::AccountId,
        l1::{
            address::L1Address,
            burn::{BurnPayload, Recipient},
            envelope::{Message, MessageKind},
            stake::{MAX_RANKED_BLOCKS, MAX_UNLOCK, MIN_LOCK_BLOCKS},
            transaction::StrippedTransaction,
            L1Hash, OutPoint,
        },
    };
    use proptest::prelude::*;

    const HEIGHT: u32 = 10_000;
    const CHAIN: u32 = 3;

    fn payload(blocks: u32) -> StakePayload {
        StakePayload { account: AccountId::new([7; 32]), unlock: HEIGHT + blocks, owner: [9; 20] }
    }

    /// The usual form: message, lock, change.
    fn outputs(said: &StakePayload, value: u64) -> Vec<(u64, Vec<u8>)> {
        vec![(0, said.script(CHAIN)), (value, said.lock_script()), (5, vec![0x51])]
    }

    fn read(outputs: &[(u64, Vec<u8>)]) -> Vec<L1Event> {
        events(&block(&[transaction(1, outputs)]), HEIGHT)
    }

    fn expected(outputs: &[(u64, Vec<u8>)], said: &StakePayload, value: u64) -> L1Event {
        let txid = Transaction::read(&transaction(1, outputs)).expect("built right").txid;
        L1Event::Stake {
            outpoint: OutPoint { txid, vout: 1 },
            chain_id: CHAIN,
            account: said.account.clone(),
            owner: H160(said.owner),
            value,
            unlock: said.unlock,
        }
    }

    #[test]
    fn r2_3_what_is_locked_is_seen_from_the_block_alone() {
        let said = payload(MIN_LOCK_BLOCKS);
        let usual = outputs(&said, 500);
        assert_eq!(read(&usual), [expected(&usual, &said, 500)]);
        // The message may stand behind the lock.
        let mut behind = usual.clone();
        behind.rotate_left(1);
        behind.swap(0, 1);
        assert_eq!(behind[1], usual[1]);
        assert_eq!(read(&behind), [expected(&behind, &said, 500)]);
    }

    #[test]
    fn what_locks_nothing_is_no_event() {
        let said = payload(MIN_LOCK_BLOCKS);
        let good = outputs(&said, 500);
        let changed = |change: &dyn Fn(&mut Vec<(u64, Vec<u8>)>)| {
            let mut outputs = good.clone();
            change(&mut outputs);
            read(&outputs).len()
        };
        assert_eq!(changed(&|_| ()), 1);
        assert_eq!(changed(&|outputs| outputs[1].0 = 0), 0);
        assert_eq!(changed(&|outputs| outputs.truncate(1)), 0);
        assert_eq!(changed(&|outputs| outputs.swap(1, 2)), 0, "not output 1");
        // It can be spent at once, by another, or earlier than is said.
        let free = L1Address::PublicKeyHash(said.owner).script();
        assert_eq!(changed(&|outputs| outputs[1].1 = free.clone()), 0);
        let theirs = StakePayload { owner: [8; 20], ..said.clone() }.lock_script();
        assert_eq!(changed(&|outputs| outputs[1].1 = theirs.clone()), 0);
        let earlier = payload(MIN_LOCK_BLOCKS - 1).lock_script();
        assert_eq!(changed(&|outputs| outputs[1].1 = earlier.clone()), 0);
        // Other messages than one of this kind.
        let other =
            Message { kind: MessageKind::KeyRevocation, chain_id: CHAIN, body: &said.body() };
        let other = other.script().expect("it fits");
        assert_eq!(changed(&|outputs| outputs[0].1 = other.clone()), 0);
        assert_eq!(changed(&|outputs| outputs[0].1.truncate(40)), 0);
        // Too short: what is long enough one block below.
        assert_eq!(read(&outputs(&payload(MIN_LOCK_BLOCKS - 1), 500)).len(), 0);
    }

    /// Attack: one output as the stake of two accounts.
    #[test]
    fn r2_3_the_first_message_decides_and_an_output_is_one_accounts_stake() {
        let said = payload(MIN_LOCK_BLOCKS);
        let other = StakePayload { account: AccountId::new([8; 32]), ..said.clone() };
        let mut two = outputs(&said, 500);
        two.push((0, other.script(CHAIN)));
        assert_eq!(read(&two), [expected(&two, &said, 500)]);
        // Also where the first is of no use, or for another chain.
        two[0].1 = StakePayload { unlock: said.unlock + 1, ..other.clone() }.script(CHAIN);
        assert!(read(&two).is_empty());
        two[0].1 = said.script(CHAIN + 1);
        let elsewhere = read(&two);
        assert!(matches!(elsewhere[..], [L1Event::Stake { chain_id: 4, .. }]), "{elsewhere:?}");
    }

    #[test]
    fn a_burn_beside_a_lock_is_both() {
        let said = payload(MIN_LOCK_BLOCKS);
        let recipient = Recipient::Account(AccountId::new([7; 32]));
        let burn = BurnPayload { chain_id: CHAIN, recipient, amount: 3 }.script();
        let mut both = outputs(&said, 500);
        both.push((3, burn));
        let events = read(&both);
        assert!(matches!(events[..], [L1Event::Stake { .. }, L1Event::Burn { value: 3, .. }]));
    }

    /// Attack: thousands of locks in one L1 block.
    #[test]
    fn of_many_locks_those_with_the_most_coin_blocks_stay() {
        let of = |seed: u8, value, blocks| transaction(seed, &outputs(&payload(blocks), value));
        let mut raws: Vec<_> = (1..=40).map(|n| of(n, u64::from(n), MIN_LOCK_BLOCKS)).collect();
        // As much as the last that stays, but later; and one that is small and long.
        raws.push(of(41, 26, MIN_LOCK_BLOCKS));
        raws.push(of(42, 1, MAX_UNLOCK - HEIGHT));
        let kept = events(&block(&raws), HEIGHT);
        let values: Vec<_> = kept
            .iter()
            .map(|event| match event {
                L1Event::Stake { value, .. } => *value,
                other => unreachable!("{other:?}"),
            })
            .collect();
        // A year is 52 times the least, so the long one ranks as 52 units.
        assert_eq!(MAX_RANKED_BLOCKS / MIN_LOCK_BLOCKS, 52);
        assert_eq!(values, (26..=40).chain([1]).collect::<Vec<u64>>());
    }

    proptest! {
        /// What a node reads of a block and what L2 reads of a proof is one rule, whatever
        /// the outputs.
        #[test]
        fn r2_3_a_block_and_a_proof_show_the_same_locks(
            kinds in prop::collection::vec(0usize..7, 1..6), blocks in 4_020u32..4_050, value in 0u64..3,
        ) {
            let said = payload(blocks);
            let other = StakePayload { account: AccountId::new([8; 32]), ..said.clone() };
            let forms = [
                (0, said.script(CHAIN)),
                (value, said.lock_script()),
                (0, other.script(CHAIN + 1)),
                (0, said.script(CHAIN)[..40].to_vec()),
                (value, StakePayload { owner: [8; 20], ..said.clone() }.lock_script()),
                (5, vec![0x51]),
                (0, StakePayload { unlock: 0, ..said.clone() }.script(CHAIN)),
            ];
            let outputs: Vec<_> = kinds.into_iter().map(|kind| forms[kind].clone()).collect();
            let raw = transaction(1, &outputs);
            let stripped = StrippedTransaction::read(&raw).expect("built right");
            let proven = Locked::in_transaction(&stripped);
            let proven = proven.filter(|locked| locked.lasts_from(HEIGHT)).map(|locked| {
                L1Event::Stake {
                    outpoint: OutPoint { txid: L1Hash::of(&raw), vout: 1 },
                    chain_id: locked.chain_id,
                    account: locked.payload.account,
                    owner: H160(locked.payload.owner),
                    value: locked.value,
                    unlock: locked.payload.unlock,
                }
            });
            prop_assert_eq!(read(&outputs), Vec::from_iter(proven));
        }

        /// Whatever stands beside it, a lock is read as it is, or not at all.
        #[test]
        fn damage_never_makes_another_lock_of_it(
            at in any::<prop::sample::Index>(), bit in 0u8..8, output in 0usize..2,
        ) {
            let said = payload(MIN_LOCK_BLOCKS + 500);
            let mut outputs = outputs(&said, 500);
            let script = &mut outputs[output].1;
            let at = at.index(script.len());
            script[at] ^= 1 << bit;
            for event in read(&outputs) {
                let L1Event::Stake { owner, value, unlock, .. } = event else { continue };
                // Only the account and the chain are not bound by the lock.
                prop_assert_eq!((owner, value, unlock), (H160(said.owner), 500, said.unlock));
            }
        }
    }
}
