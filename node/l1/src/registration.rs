//! The registration of a layer 2 chain that a transaction makes
//! ([`cascoin_l2_primitives::l1::registration`]).
//!
//! As for stake everything is seen from the block alone, and what is malformed, locks
//! nothing or is locked too shortly is passed over, by the same rule on every node.

use crate::block::{BlockTransaction, Output};
use cascoin_l2_primitives::{
    l1::{
        envelope::{Message, MessageKind},
        registration::{chain_id_of, Registration, MIN_REGISTRATION_BLOCKS},
        stake::{coin_blocks, pays_to_script_hash, LOCK_VOUT},
    },
    relay::{L1Event, MAX_REGISTRATIONS_PER_BLOCK},
};
use sp_core::H160;
use std::cmp::Reverse;

/// A registration whose lock holds coins, for however long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The layer 2 whose registry is told.
    pub chain_id: u32,
    /// What it is told.
    pub registration: Registration,
    /// The coins, in base units.
    pub value: u64,
}

/// What a transaction with these output scripts registers with `output`, its output
/// [`LOCK_VOUT`].
///
/// No hash is computed where the output does not pay to one.
pub fn registered<'a>(
    output: &Output<'_>,
    mut scripts: impl Iterator<Item = &'a [u8]>,
) -> Option<Registered> {
    if output.value == 0 || !pays_to_script_hash(output.script) {
        return None;
    }
    let is_ours = |message: &Message<'_>| message.kind == MessageKind::ChainRegistration;
    let message =
        scripts.find_map(|script| Message::read(script)?.ok().filter(|read| is_ours(read)))?;
    let registration = Registration::read(message.body)?;
    let locks = registration.lock.script() == output.script;
    locks.then_some(Registered { chain_id: message.chain_id, registration, value: output.value })
}

/// The chain that a transaction of a block at `height` registers.
pub fn registration(transaction: &BlockTransaction<'_>, height: u32) -> Option<L1Event> {
    if transaction.is_coinbase() {
        return None;
    }
    let (outpoint, output) = transaction.outputs().nth(LOCK_VOUT)?;
    let scripts = transaction.outputs().map(|(_, output)| output.script);
    let Registered { chain_id, registration, value } = registered(&output, scripts)?;
    let Registration { lock, definition, name } = registration;
    if lock.unlock < height.saturating_add(MIN_REGISTRATION_BLOCKS) {
        return None;
    }
    Some(L1Event::ChainRegistration {
        outpoint,
        chain_id,
        id: chain_id_of(&transaction.first_spent()?),
        name,
        definition,
        owner: H160(lock.owner),
        value,
        unlock: lock.unlock,
    })
}

/// Without the registrations that have fewer coin-blocks than
/// [`MAX_REGISTRATIONS_PER_BLOCK`] others of the block at `height`. Of equal ones the
/// earlier stay.
pub fn keep_largest(events: Vec<L1Event>, height: u32) -> Vec<L1Event> {
    let rank = |(place, event): (usize, &L1Event)| match event {
        L1Event::ChainRegistration { value, unlock, .. } => {
            Some((Reverse(coin_blocks(*value, *unlock, height)), place))
        }
        L1Event::Burn { .. }
        | L1Event::Trust(_)
        | L1Event::KeyRevocation { .. }
        | L1Event::Stake { .. }
        | L1Event::Message { .. }
        | L1Event::ForcedTransaction { .. }
        | L1Event::VaultDeposit { .. } => None,
    };
    let mut ranks: Vec<_> = events.iter().enumerate().filter_map(rank).collect();
    ranks.sort_unstable();
    let Some(first_out) = ranks.get(MAX_REGISTRATIONS_PER_BLOCK).copied() else { return events };
    let stays = |place, event| rank((place, event)).is_none_or(|rank| rank < first_out);
    let kept = events.iter().enumerate().filter(|(place, event)| stays(*place, *event));
    kept.map(|(_, event)| event.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::builder::{block, transaction},
        block::Transaction,
        events::events,
    };
    use cascoin_l2_primitives::{
        chain::AccountId,
        l1::{
            address::L1Address,
            registration::chain_name,
            stake::{StakePayload, TimeLock},
            L1Hash, OutPoint,
        },
    };

    const HEIGHT: u32 = 10_000;
    /// The registry's chain.
    const CHAIN: u32 = 3;

    fn said(blocks: u32) -> Registration {
        Registration {
            lock: TimeLock { unlock: HEIGHT + blocks, owner: [9; 20] },
            definition: L1Hash([5; 32]),
            name: chain_name(b"demo").expect("a name"),
        }
    }

    /// The usual form: message, lock, change.
    fn outputs(said: &Registration, value: u64) -> Vec<(u64, Vec<u8>)> {
        vec![(0, said.script(CHAIN)), (value, said.lock.script()), (5, vec![0x51])]
    }

    fn read(seed: u8, outputs: &[(u64, Vec<u8>)]) -> Vec<L1Event> {
        events(&block(&[transaction(seed, outputs)]), HEIGHT)
    }

    /// What the transaction that spends output 0 of the transaction `seed` × 32 brings.
    fn expected(seed: u8, outputs: &[(u64, Vec<u8>)], said: &Registration, value: u64) -> L1Event {
        let raw = transaction(seed, outputs);
        let txid = Transaction::read(&raw).expect("built right").txid;
        L1Event::ChainRegistration {
            outpoint: OutPoint { txid, vout: 1 },
            chain_id: CHAIN,
            id: chain_id_of(&OutPoint { txid: L1Hash([seed; 32]), vout: 0 }),
            name: said.name.clone(),
            definition: said.definition,
            owner: H160(said.lock.owner),
            value,
            unlock: said.lock.unlock,
        }
    }

    #[test]
    fn r1_5_a_registration_is_seen_from_the_block_alone() {
        let said = said(MIN_REGISTRATION_BLOCKS);
        let usual = outputs(&said, 500);
        assert_eq!(read(1, &usual), [expected(1, &usual, &said, 500)]);
    }

    #[test]
    fn r1_3_who_spends_another_output_registers_another_chain() {
        let said = said(MIN_REGISTRATION_BLOCKS);
        let usual = outputs(&said, 500);
        let ids: Vec<_> = (1..=3)
            .map(|seed| match read(seed, &usual)[..] {
                [L1Event::ChainRegistration { id, .. }] => id,
                ref other => unreachable!("{other:?}"),
            })
            .collect();
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    }

    #[test]
    fn r1_4_what_locks_nothing_is_no_registration() {
        let said = said(MIN_REGISTRATION_BLOCKS);
        let good = outputs(&said, 500);
        let changed = |change: &dyn Fn(&mut Vec<(u64, Vec<u8>)>)| {
            let mut outputs = good.clone();
            change(&mut outputs);
            read(1, &outputs).len()
        };
        assert_eq!(changed(&|_| ()), 1);
        assert_eq!(changed(&|outputs| outputs[1].0 = 0), 0);
        assert_eq!(changed(&|outputs| outputs.truncate(1)), 0);
        assert_eq!(changed(&|outputs| outputs.swap(1, 2)), 0, "not output 1");
        // It can be spent at once, by another, or earlier than is said.
        let free = L1Address::PublicKeyHash(said.lock.owner).script();
        assert_eq!(changed(&|outputs| outputs[1].1 = free.clone()), 0);
        let theirs = TimeLock { owner: [8; 20], ..said.lock }.script();
        assert_eq!(changed(&|outputs| outputs[1].1 = theirs.clone()), 0);
        let earlier = TimeLock { unlock: said.lock.unlock - 1, ..said.lock }.script();
        assert_eq!(changed(&|outputs| outputs[1].1 = earlier.clone()), 0);
        // Too short by one block.
        let short = self::said(MIN_REGISTRATION_BLOCKS - 1);
        assert_eq!(read(1, &outputs(&short, 500)).len(), 0);
    }

    /// Attack: the same coins as a deployer's and as a sequencer's stake.
    #[test]
    fn r1_4_a_lock_that_is_stake_registers_nothing() {
        let said = said(MIN_REGISTRATION_BLOCKS);
        let TimeLock { unlock, owner } = said.lock;
        let stake = StakePayload { account: AccountId::new([7; 32]), unlock, owner };
        let mut both = outputs(&said, 500);
        both.push((0, stake.script(CHAIN)));
        assert!(matches!(read(1, &both)[..], [L1Event::Stake { .. }]));
    }

    #[test]
    fn the_first_message_decides() {
        let said = said(MIN_REGISTRATION_BLOCKS);
        let other = Registration { name: chain_name(b"other").expect("a name"), ..said.clone() };
        let mut two = outputs(&said, 500);
        two.push((0, other.script(CHAIN)));
        assert_eq!(read(1, &two), [expected(1, &two, &said, 500)]);
    }

    /// Attack: more registrations in one L1 block than anybody wants to read.
    #[test]
    fn of_many_registrations_those_with_the_most_coin_blocks_stay() {
        let registering =
            |seed: u8, value| transaction(seed, &outputs(&said(MIN_REGISTRATION_BLOCKS), value));
        // As much as the last that stays, but later.
        let raws: Vec<_> = [(1, 5), (2, 9), (3, 7), (4, 1), (5, 8), (6, 6), (7, 6)]
            .map(|(seed, value)| registering(seed, value))
            .into();
        let kept = events(&block(&raws), HEIGHT);
        let values: Vec<_> = kept
            .iter()
            .map(|event| match event {
                L1Event::ChainRegistration { value, .. } => *value,
                other => unreachable!("{other:?}"),
            })
            .collect();
        assert_eq!(values, [9, 7, 8, 6]);
        let first_six = expected(
            6,
            &outputs(&said(MIN_REGISTRATION_BLOCKS), 6),
            &said(MIN_REGISTRATION_BLOCKS),
            6,
        );
        assert_eq!(kept[3], first_six);
    }
}
