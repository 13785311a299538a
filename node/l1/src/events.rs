//! What one L1 block tells L2.
//!
//! A pure function of the block and its neighbours, so all honest nodes make the
//! same events, pages and digest.
//!
//! ## Changing the rules
//! What is made of a block is voted on, so all sequencers must change a rule at one L1
//! height, however late each of them updates its program. A new rule therefore comes with
//! a height that is still far off when the program is published: below it [`events`], which
//! is told the height of its block, goes on by the old rule for ever, from it on by the new.
//! Then programs before and after the change agree on every block below. [`EXTRACTION`]
//! is raised with it, so that a follower reads again what an older program stored of
//! blocks at or above that height. There has been no change yet: one set of rules is in
//! force from the first block.

use crate::{block::Block, deposit, forced, message, registration, revocation, stake, trust};
use cascoin_l2_primitives::{
    l1::{burn::marked_payload, deposit::DEPOSIT_VOUT, stake::LOCK_VOUT},
    relay::{local::LocalBlock, pages_root, paginate, L1BlockDigest, L1Event, MAX_TRUST_PER_BLOCK},
};
use sp_core::bounded::BoundedVec;
use std::{cmp::Reverse, collections::BTreeSet};

/// Headers whose times make a block's median time (BIP 113), its own included.
pub const MEDIAN_TIME_SPAN: usize = 11;

/// Number of the rules by which events are made; blocks that other rules made are not
/// taken up from a node's storage.
pub const EXTRACTION: u32 = 1;

/// The events of a block at `height`, in the order of its outputs. Of what people say of
/// each other in it the [`MAX_TRUST_PER_BLOCK`] statements with the largest bonds are
/// events: who wants to crowd others out must lock more than they do. For the same reason
/// of what is locked as stake the [`MAX_STAKE_PER_BLOCK`] locks with the most coin-blocks
/// are, of forced transactions the [`MAX_FORCED_PER_BLOCK`] that destroy the most, and of
/// registrations of chains [`MAX_REGISTRATIONS_PER_BLOCK`].
/// Revocations of keys all are, each once: nobody's can be crowded out, and a block
/// full of them makes no more pages than one full of burns. So are all messages and all
/// deposits: they may carry coins.
///
/// [`MAX_FORCED_PER_BLOCK`]: cascoin_l2_primitives::relay::MAX_FORCED_PER_BLOCK
/// [`MAX_STAKE_PER_BLOCK`]: cascoin_l2_primitives::relay::MAX_STAKE_PER_BLOCK
/// [`MAX_REGISTRATIONS_PER_BLOCK`]: cascoin_l2_primitives::relay::MAX_REGISTRATIONS_PER_BLOCK
pub fn events(block: &Block, height: u32) -> Vec<L1Event> {
    let mut events = Vec::new();
    let mut revoked = BTreeSet::new();
    for transaction in block.transactions() {
        let said = trust::statement(&transaction, height);
        let revocation = revocation::revocation(&transaction);
        let mut messages = message::messages(&transaction).into_iter().peekable();
        let mut forced = forced::transaction(&transaction);
        for (outpoint, output) in transaction.outputs() {
            if let Some(payload) = marked_payload(output.script) {
                events.push(L1Event::Burn {
                    outpoint,
                    value: output.value,
                    payload: BoundedVec::truncate_from(payload.to_vec()),
                });
            }
            if let Some((_, statement)) = said.filter(|(vout, _)| *vout == outpoint.vout) {
                events.push(L1Event::Trust(statement));
            }
            if let Some((vout, signer, said)) = &revocation {
                let key = (said.chain_id, *signer, said.account.clone());
                if *vout == outpoint.vout && revoked.insert(key) {
                    events.push(L1Event::KeyRevocation {
                        chain_id: said.chain_id,
                        signer: *signer,
                        account: said.account.clone(),
                    });
                }
            }
            // In the order of outputs, so that none is looked at twice.
            let sent = messages.next_if(|(vout, _)| *vout == outpoint.vout);
            events.extend(sent.map(|(_, message)| message));
            if let Some((_, event)) = forced.take_if(|(vout, _)| *vout == outpoint.vout) {
                events.push(event);
            }
            if outpoint.vout as usize == LOCK_VOUT {
                // A lock that is stake is no deployer's besides.
                let locked = stake::lock(&transaction, height)
                    .or_else(|| registration::registration(&transaction, height));
                events.extend(locked);
            }
            if outpoint.vout as usize == DEPOSIT_VOUT {
                events.extend(deposit::deposit(&transaction));
            }
        }
    }
    let events = stake::keep_largest(without_small_bonds(events), height);
    forced::keep_largest(registration::keep_largest(events, height))
}

fn without_small_bonds(events: Vec<L1Event>) -> Vec<L1Event> {
    let mut by_bond: Vec<_> = events
        .iter()
        .enumerate()
        .filter_map(|(place, event)| match event {
            L1Event::Trust(statement) => Some((Reverse(statement.bond), place)),
            L1Event::Burn { .. }
            | L1Event::KeyRevocation { .. }
            | L1Event::Stake { .. }
            | L1Event::Message { .. }
            | L1Event::ForcedTransaction { .. }
            | L1Event::ChainRegistration { .. }
            | L1Event::VaultDeposit { .. } => None,
        })
        .collect();
    // Of equal bonds the earlier ones stay.
    by_bond.sort_unstable();
    let too_many: BTreeSet<_> =
        by_bond.iter().skip(MAX_TRUST_PER_BLOCK).map(|(_, place)| *place).collect();
    let kept = |place: &usize| !too_many.contains(place);
    (0usize..).zip(events).filter(|(place, _)| kept(place)).map(|(_, event)| event).collect()
}

/// Everything the off-chain worker needs of `block`, which stands at `height`.
///
/// `times` are those of the last [`MEDIAN_TIME_SPAN`] headers up to this block,
/// in any order; fewer near genesis.
pub fn local_block(block: &Block, height: u32, times: &[u32]) -> LocalBlock {
    let header = block.header();
    let events = events(block, height);
    // A block of 4 MB holds fewer than 2^32 outputs.
    let event_count = events.len() as u32;
    let pages = paginate(events);
    let digest = L1BlockDigest {
        height,
        hash: header.hash,
        previous: header.previous,
        time: header.time,
        median_time: median(times).unwrap_or(header.time),
        event_count,
        pages_root: pages_root(&pages),
    };
    LocalBlock { digest, pages }
}

/// The middle one of the sorted times; of an even number the later of the two,
/// as Core takes it.
pub(crate) fn median(times: &[u32]) -> Option<u32> {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::builder;
    use cascoin_l2_primitives::{
        chain::AccountId,
        l1::burn::{BurnPayload, Recipient, MARKER},
        relay::TrustStatement,
    };

    fn burn(amount: u64) -> Vec<u8> {
        let recipient = Recipient::Account(AccountId::new([7; 32]));
        BurnPayload { chain_id: 3, recipient, amount }.script()
    }

    #[test]
    fn events_are_the_marked_outputs_in_order_with_their_own_values() {
        let first = builder::transaction(1, &[(5, vec![0x51]), (7, burn(7)), (0, burn(9))]);
        let second = builder::transaction(2, &[(11, burn(1))]);
        let block = builder::block(&[first.clone(), second.clone()]);
        let local = local_block(&block, 42, &[10, 30, 20]);
        let seen: Vec<_> = local
            .pages
            .iter()
            .flat_map(|page| page.events.iter())
            .map(|event| match event {
                L1Event::Burn { outpoint, value, payload } => (*outpoint, *value, payload.len()),
                other => unreachable!("nobody says anything: {other:?}"),
            })
            .collect();
        let at = |raw: &[u8], vout| cascoin_l2_primitives::l1::OutPoint {
            txid: crate::block::Transaction::read(raw).expect("built right").txid,
            vout,
        };
        assert_eq!(
            seen,
            [(at(&first, 1), 7, 51), (at(&first, 2), 0, 51), (at(&second, 0), 11, 51)]
        );
        assert_eq!(local.digest.event_count, 3);
        assert_eq!(local.digest.height, 42);
        assert_eq!(local.digest.median_time, 20);
        assert_eq!(local.digest.hash, block.header().hash);
        assert_ne!(local.digest.pages_root, Default::default());
    }

    #[test]
    fn long_marked_payloads_are_cut_and_unmarked_ones_ignored() {
        let mut long = vec![0x6a, 0x4d, 0x2c, 0x01];
        long.extend(MARKER);
        long.resize(4 + 300, 0xaa);
        let block =
            builder::block(&[builder::transaction(1, &[(1, long), (2, vec![0x6a, 1, 0x4c])])]);
        let events = events(&block, 1);
        assert_eq!(events.len(), 1);
        assert!(matches!(&events[0], L1Event::Burn { payload, .. } if payload.len() == 80));
    }

    #[test]
    fn statements_stand_among_burns_and_small_bonds_give_way() {
        let said = |bond| builder::trust(1, bond, &builder::signer());
        let mut with_burn = said(1_000_000);
        with_burn.burn = Some(burn(7));
        let block = builder::block(&[
            with_burn.signed(),
            builder::transaction(9, &[(7, burn(9))]),
            said(500).signed(),
        ]);
        let events = events(&block, builder::TRUST_HEIGHT);
        let kinds: Vec<_> = events.iter().map(|event| matches!(event, L1Event::Trust(_))).collect();
        assert_eq!(kinds, [true, false, false, true]);

        let statement = |bond| {
            let L1Event::Trust(statement) = &events[0] else { unreachable!("asserted above") };
            L1Event::Trust(TrustStatement { bond, ..*statement })
        };
        // The 64 largest of 70 with two equal ones at the edge: 7, 8, … 70 and the first 6.
        let mut many: Vec<_> = (7..=69).map(statement).collect();
        let first_six = many.len() / 2;
        many.insert(first_six, statement(6));
        many.extend([statement(6), statement(1), statement(5)]);
        many.insert(0, events[1].clone());
        let kept = without_small_bonds(many.clone());
        many.truncate(65);
        assert_eq!(kept, many);
    }

    /// However many there are, all are events; the same twice is one.
    #[test]
    fn r30_5_no_revocation_is_crowded_out() {
        use cascoin_l2_primitives::{l1::revocation::Revocation, relay::MAX_EVENTS_PER_PAGE};
        let script = |n: u8| Revocation { chain_id: 3, account: [n; 32].into() }.script();
        let of = |n: u8| builder::Trust {
            before: Some(script(n)),
            ..builder::trust(n, 5, &builder::signer())
        };
        let mut transactions: Vec<_> = (1..=150).map(|n| of(n).signed()).collect();
        let again = builder::Trust { seed: 200, ..of(9) };
        transactions.push(again.signed());
        // One that burns besides.
        let burning = builder::Trust { seed: 201, burn: Some(burn(7)), ..of(151) };
        transactions.push(burning.signed());
        let events = events(&builder::block(&transactions), 1);
        let accounts: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                L1Event::KeyRevocation { chain_id: 3, account, .. } => Some(account.clone()),
                _ => None,
            })
            .collect();
        let expected = (1..=151).map(|n| AccountId::new([n; 32]));
        assert!(accounts.into_iter().eq(expected));
        assert!(matches!(events.last(), Some(L1Event::Burn { value: 7, .. })));
        assert_eq!(events.len(), 152);
        assert_eq!(paginate(events).len(), 152usize.div_ceil(MAX_EVENTS_PER_PAGE as usize));
    }

    #[test]
    fn a_block_without_burns_has_no_pages() {
        let local = local_block(&builder::block(&[]), 1, &[5]);
        assert!(local.pages.is_empty());
        assert_eq!(local.digest.pages_root, Default::default());
    }

    #[test]
    fn the_median_is_cores() {
        assert_eq!(median(&[3, 1, 2]), Some(2));
        assert_eq!(median(&[4, 1, 3, 2]), Some(3));
        assert_eq!(median(&[9]), Some(9));
        assert_eq!(median(&[]), None);
    }
}
