//! A transaction of the layer 2 that a transaction of L1 shows
//! ([`cascoin_l2_primitives::l1::forced`], R17).
//!
//! Everything is seen from the block alone: a message that names data by its hash, and
//! the data in the witness of an input. The block's coinbase proves the witnesses
//! ([`block`](crate::block)), so no L1 node can hide the data of a message. What is
//! malformed or shows nothing is passed over, by the same rule on every node.

use crate::block::BlockTransaction;
use bitcoin::{consensus::deserialize, Transaction};
use cascoin_l2_primitives::{
    l1::{
        envelope::{Message, MessageKind},
        forced::{shown_data, ForcedPayload},
    },
    relay::{L1Event, MAX_FORCED_PER_BLOCK},
};
use sp_core::bounded::BoundedVec;
use std::cmp::Reverse;

/// The position of the message, and what is forced. The first readable message of this
/// kind decides, whatever it says.
///
/// Witnesses are only looked at where there is a message.
pub fn transaction(transaction: &BlockTransaction<'_>) -> Option<(u32, L1Event)> {
    let (vout, paid, chain_id, payload) =
        transaction.outputs().find_map(|(outpoint, output)| {
            let message = Message::read(output.script)?.ok()?;
            let is_ours = message.kind == MessageKind::ForcedTransaction;
            let payload = ForcedPayload::read(message.body);
            is_ours.then_some((outpoint.vout, output.value, message.chain_id, payload))
        })?;
    let payload = payload?;
    let raw: Transaction = deserialize(transaction.raw()).ok()?;
    let data = raw
        .input
        .iter()
        .filter_map(|input| shown_data(input.witness.last()?))
        .find(|data| payload.names(data))?;
    let transaction = BoundedVec::try_from(data).ok()?;
    Some((vout, L1Event::ForcedTransaction { chain_id, paid, transaction }))
}

/// Without the forced transactions that paid less than [`MAX_FORCED_PER_BLOCK`] others
/// of their block. Of equal ones the earlier stay.
pub fn keep_largest(events: Vec<L1Event>) -> Vec<L1Event> {
    let rank = |(place, event): (usize, &L1Event)| match event {
        L1Event::ForcedTransaction { paid, .. } => Some((Reverse(*paid), place)),
        L1Event::Burn { .. }
        | L1Event::Trust(_)
        | L1Event::KeyRevocation { .. }
        | L1Event::Stake { .. }
        | L1Event::Message { .. }
        | L1Event::ChainRegistration { .. }
        | L1Event::VaultDeposit { .. } => None,
    };
    let mut ranks: Vec<_> = events.iter().enumerate().filter_map(rank).collect();
    ranks.sort_unstable();
    let Some(first_out) = ranks.get(MAX_FORCED_PER_BLOCK).copied() else { return events };
    let stays = |place, event| rank((place, event)).is_none_or(|rank| rank < first_out);
    let kept = events.iter().enumerate().filter(|(place, event)| stays(*place, *event));
    kept.map(|(_, event)| event.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::builder::{add_witness, block, transaction as plain},
        events::events,
    };
    use cascoin_l2_primitives::l1::forced::data_script;

    const CHAIN: u32 = 3;
    const KEY: [u8; 33] = [2; 33];

    fn message(data: &[u8]) -> Vec<u8> {
        ForcedPayload::of(data).expect("it fits").script(CHAIN)
    }

    fn script(data: &[u8]) -> Vec<u8> {
        data_script(data, &KEY).expect("it fits")
    }

    /// A message that destroys `paid`, and a witness that ends with `script`.
    fn with(seed: u8, paid: u64, message: Vec<u8>, script: &[u8]) -> Vec<u8> {
        add_witness(&plain(seed, &[(5, vec![0x51]), (paid, message)]), &[&[0x30; 71], script])
    }

    fn read(raws: &[Vec<u8>]) -> Vec<(u64, Vec<u8>)> {
        let of = |event: L1Event| match event {
            L1Event::ForcedTransaction { chain_id: CHAIN, paid, transaction } => {
                (paid, transaction.into_inner())
            }
            other => unreachable!("{other:?}"),
        };
        events(&block(raws), 1).into_iter().map(of).collect()
    }

    #[test]
    fn r17_1_data_in_a_witness_is_seen_from_the_block_alone() {
        let data = vec![7; 1_000];
        let raw = with(1, 9, message(&data), &script(&data));
        assert_eq!(read(&[raw]), [(9, data)]);
    }

    #[test]
    fn what_no_witness_shows_is_no_event() {
        let data = vec![7; 100];
        let other = vec![8; 100];
        assert!(read(&[plain(1, &[(0, message(&data))])]).is_empty(), "no witness");
        assert!(read(&[with(1, 0, message(&data), &script(&other))]).is_empty());
        assert!(read(&[with(1, 0, message(&data), &data)]).is_empty(), "no script");
        assert!(read(&[with(1, 0, vec![0x51], &script(&data))]).is_empty(), "no message");
        // Not last in the witness: it is no script.
        let early = add_witness(&plain(1, &[(0, message(&data))]), &[&script(&data), &[1]]);
        assert!(read(&[early]).is_empty());
    }

    /// One transaction of L1 forces one: the first message decides.
    #[test]
    fn the_first_message_of_a_transaction_decides() {
        let (data, other) = (vec![7; 100], vec![8; 100]);
        let outputs = [(1, message(&other)), (2, message(&data))];
        let raw = add_witness(&plain(1, &outputs), &[&script(&data)]);
        assert!(read(&[raw]).is_empty());
        let raw = add_witness(&plain(1, &outputs), &[&script(&other)]);
        assert_eq!(read(&[raw]), [(1, other)]);
    }

    /// Attack: somebody fills an L1 block to have another's transaction left out.
    #[test]
    fn r17_1_of_many_those_that_paid_most_stay() {
        let of = |seed: u8, paid| {
            let data = vec![seed; 50];
            with(seed, paid, message(&data), &script(&data))
        };
        let raws = [of(1, 3), of(2, 1), of(3, 9), of(4, 3), of(5, 2), of(6, 3), of(7, 3)];
        let kept: Vec<_> = read(&raws).into_iter().map(|(paid, data)| (paid, data[0])).collect();
        assert_eq!(kept, [(3, 1), (9, 3), (3, 4), (3, 6)]);
    }
}
