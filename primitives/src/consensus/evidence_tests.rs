//! What proves that somebody signed twice, and everything that does not.

use super::*;
use crate::chain::BlockHash;
use codec::{Decode, Encode, MaxEncodedLen};
use proptest::prelude::*;
use sp_core::{ed25519, Pair};

const GENESIS: BlockHash = BlockHash::repeat_byte(1);

fn check(signature: &ed25519::Signature, message: &[u8], key: &ed25519::Public) -> bool {
    ed25519::Pair::verify(signature, message, key)
}

fn hash() -> impl Strategy<Value = BlockHash> {
    (1..4u8).prop_map(BlockHash::repeat_byte)
}

/// Few values, so that equal ones come up.
fn statement() -> impl Strategy<Value = Statement> {
    prop_oneof![
        (hash(), prop::option::of(0..3u16))
            .prop_map(|(block, valid_round)| Statement::Proposal { block, valid_round }),
        prop::option::of(hash()).prop_map(|block| Statement::Prevote { block }),
        prop::option::of(hash()).prop_map(|block| Statement::Precommit { block }),
    ]
}

/// Statements of one kind.
fn of_one_kind<const N: usize>() -> impl Strategy<Value = [Statement; N]> {
    let proposal = || {
        (hash(), prop::option::of(0..3u16))
            .prop_map(|(block, valid_round)| Statement::Proposal { block, valid_round })
    };
    let prevote = || prop::option::of(hash()).prop_map(|block| Statement::Prevote { block });
    let precommit = || prop::option::of(hash()).prop_map(|block| Statement::Precommit { block });
    prop_oneof![
        proptest::array::uniform(proposal()),
        proptest::array::uniform(prevote()),
        proptest::array::uniform(precommit()),
    ]
}

fn sign(
    pair: &ed25519::Pair,
    set_id: u64,
    round: GrandpaRound,
    statement: Statement,
) -> SignedStatement {
    let signature = pair.sign(&statement.payload(&GENESIS, set_id, round));
    SignedStatement { statement, signature }
}

fn pair() -> ed25519::Pair {
    ed25519::Pair::from_seed(&[7; 32])
}

fn evidence(one: Statement, other: Statement) -> Option<DoubleSignEvidence> {
    let (pair, round) = (pair(), GrandpaRound { epoch: 0, height: 5, round: 2 });
    let signed = |statement| sign(&pair, 3, round, statement);
    DoubleSignEvidence::new(3, pair.public(), round, signed(one), signed(other))
}

#[test]
fn nil_and_a_block_contradict_each_other_in_either_vote() {
    let block = Some(BlockHash::repeat_byte(2));
    for (one, other) in [
        (Statement::Prevote { block }, Statement::Prevote { block: None }),
        (Statement::Precommit { block }, Statement::Precommit { block: None }),
    ] {
        let evidence = evidence(one, other).expect("they contradict each other");
        assert!(evidence.verify(&GENESIS, check));
    }
}

#[test]
fn a_prevote_and_a_precommit_do_not_contradict_each_other() {
    let block = Some(BlockHash::repeat_byte(2));
    assert_eq!(evidence(Statement::Prevote { block }, Statement::Precommit { block: None }), None);
}

/// Whoever sees a nil prevote could name it a second way.
#[test]
fn the_nil_vote_under_another_name_accuses_nobody() {
    let (zero, block) = (BlockHash::zero(), BlockHash::repeat_byte(2));
    let nil = Statement::Prevote { block: None };
    let alias = Statement::Prevote { block: Some(zero) };
    let at = GrandpaRound { epoch: 0, height: 5, round: 2 };
    assert_eq!(nil.payload(&GENESIS, 3, at), alias.payload(&GENESIS, 3, at), "one signature");
    for (one, other) in [
        (nil, alias),
        (Statement::Prevote { block: Some(block) }, alias),
        (Statement::Precommit { block: None }, Statement::Precommit { block: Some(zero) }),
        (
            Statement::Proposal { block: zero, valid_round: None },
            Statement::Proposal { block, valid_round: None },
        ),
    ] {
        assert_eq!(evidence(one, other), None);
        // Nor put together by hand.
        let signed = |statement| sign(&pair(), 3, at, statement);
        let (first, second) = (one.min(other), one.max(other));
        let made = DoubleSignEvidence {
            set_id: 3,
            key: pair().public(),
            epoch: at.epoch,
            height: at.height,
            round: at.round,
            first: signed(first),
            second: signed(second),
        };
        assert!(!made.verify(&GENESIS, check));
    }
}

#[test]
fn evidence_is_small() {
    assert!(DoubleSignEvidence::max_encoded_len() < 300);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Two messages prove something exactly if they are of one kind and differ,
    /// and then in one encoding, whichever was seen first.
    #[test]
    fn p15_evidence_is_a_pair_of_one_kind_that_differs(one in statement(), other in statement()) {
        let found = evidence(one, other);
        prop_assert_eq!(found, evidence(other, one));
        prop_assert_eq!(found.is_some(), one.kind() == other.kind() && one != other);
        if let Some(found) = found {
            prop_assert!(found.verify(&GENESIS, check));
            let swapped = DoubleSignEvidence { first: found.second, second: found.first, ..found };
            prop_assert!(!swapped.verify(&GENESIS, check), "a second encoding");
            prop_assert_eq!(DoubleSignEvidence::decode(&mut &found.encode()[..]), Ok(found));
        }
    }

    /// Whatever is changed, the signatures no longer hold: nobody is accused of
    /// what it did not sign.
    #[test]
    fn p15_evidence_binds_everything_that_was_signed(
        [one, other] in of_one_kind(), set_id: u64, epoch: u8, height: u32, round: u16,
    ) {
        prop_assume!(one != other);
        let (pair, at) = (pair(), GrandpaRound { epoch, height, round });
        let signed = |statement| sign(&pair, set_id, at, statement);
        let found = DoubleSignEvidence::new(set_id, pair.public(), at, signed(one), signed(other));
        let found = found.expect("they contradict each other");
        prop_assert!(found.verify(&GENESIS, check));
        let stranger = ed25519::Pair::from_seed(&[8; 32]).public();
        let forged = [
            DoubleSignEvidence { set_id: set_id ^ 1, ..found },
            DoubleSignEvidence { key: stranger, ..found },
            DoubleSignEvidence { epoch: epoch ^ 1, ..found },
            DoubleSignEvidence { height: height ^ 1, ..found },
            DoubleSignEvidence { round: round ^ 1, ..found },
            DoubleSignEvidence { first: SignedStatement { signature: found.second.signature, ..found.first }, ..found },
            DoubleSignEvidence { second: SignedStatement { signature: found.first.signature, ..found.second }, ..found },
        ];
        for forged in forged {
            prop_assert!(!forged.verify(&GENESIS, check), "{forged:?}");
        }
        // Only precommits for blocks hold no genesis hash (GRANDPA's payload has
        // no place for it), so a key serves one chain.
        let both_blocks = |s: &Statement| matches!(s, Statement::Precommit { block: Some(_) });
        let elsewhere = found.verify(&BlockHash::repeat_byte(9), check);
        prop_assert_eq!(elsewhere, both_blocks(&one) && both_blocks(&other));
    }

    /// All pairs of one round and kind are one offence; every other round, kind,
    /// key or set is another.
    #[test]
    fn an_offence_has_one_name([a, b, c] in of_one_kind()) {
        prop_assume!(a != b && b != c);
        let (one, other) = (evidence(a, b).expect("a pair"), evidence(b, c).expect("a pair"));
        prop_assert_eq!(one.id(), other.id());
        prop_assert_ne!(one.id(), DoubleSignEvidence { set_id: 4, ..one }.id());
        prop_assert_ne!(one.id(), DoubleSignEvidence { height: 6, ..one }.id());
        prop_assert_ne!(one.id(), DoubleSignEvidence { round: 3, ..one }.id());
    }
}
