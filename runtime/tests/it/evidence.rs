//! A double sign is reported through the whole runtime, as a transaction of its
//! own kind.

use crate::chain::{undone, Chain};
use cascoin_l2_primitives::{
    apis::EvidenceStanding,
    chain::BlockHash,
    consensus::{DoubleSignEvidence, GrandpaRound, SignedStatement, Statement},
    sequencers::StakeProvider,
};
use cascoin_l2_runtime::{
    AccountId, Balances, BurnMint, Equivocation, Executive, Runtime, RuntimeCall,
    SequencerRegistry, Stake, System,
};
use frame_support::traits::fungible::Inspect;
use sp_core::{ed25519, Pair, H256};
use sp_keyring::Sr25519Keyring::{Bob, Eve};
use sp_runtime::transaction_validity::{
    InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
};

/// Evidence that the owner of `seed` precommitted both nil and a block.
pub fn evidence(chain: &mut Chain, seed: &str, height: u32) -> DoubleSignEvidence {
    let genesis: H256 = chain.read(|| System::block_hash(0));
    let pair = ed25519::Pair::from_string(seed, None).expect("a seed");
    let at = GrandpaRound { epoch: 0, height, round: 1 };
    let sign = |statement: Statement| SignedStatement {
        statement,
        signature: pair.sign(&statement.payload(&genesis, 0, at)),
    };
    let block = Some(BlockHash::repeat_byte(7));
    let (one, other) =
        (sign(Statement::Precommit { block }), sign(Statement::Precommit { block: None }));
    DoubleSignEvidence::new(0, pair.public(), at, one, other).expect("they contradict each other")
}

fn validate(chain: &mut Chain, evidence: DoubleSignEvidence) -> TransactionValidity {
    let head = chain.head.hash();
    let report = Equivocation::report_extrinsic(evidence, None);
    // It begins a block, which the chain of the test is not to keep.
    chain.read(|| {
        undone(|| Executive::validate_transaction(TransactionSource::External, report, head))
    })
}

#[test]
fn anybody_reports_a_double_sign_for_free_and_once() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let proof = evidence(&mut chain, "//Bob", 2);
    assert_eq!(chain.read(|| Equivocation::standing(&proof)), EvidenceStanding::Wanted);
    assert!(validate(&mut chain, proof).expect("it is free and welcome").propagate);

    let report = Equivocation::report_extrinsic(proof, None);
    let (_, applied) = chain.grow(vec![report.clone(), report]);
    assert_eq!(applied[0], Ok(Ok(())));
    assert!(applied[1].is_err(), "a second time in one block");
    let records = chain.read(|| Equivocation::double_signs(10));
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0].offender, records[0].block), (&Bob.to_account_id(), 2));

    assert_eq!(chain.read(|| Equivocation::standing(&proof)), EvidenceStanding::Reported);
    let stale = TransactionValidityError::Invalid(InvalidTransaction::Stale);
    let another = evidence(&mut chain, "//Bob", 3);
    assert_eq!(validate(&mut chain, another), Err(stale));
}

#[test]
fn the_pool_refuses_what_proves_nothing() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let honest = evidence(&mut chain, "//Bob", 2);
    let alice = ed25519::Pair::from_string("//Alice", None).expect("a seed").public();
    let refused = |why| Err(TransactionValidityError::Invalid(why));
    let forged = DoubleSignEvidence { key: alice, ..honest };
    assert_eq!(validate(&mut chain, forged), refused(InvalidTransaction::BadProof));
    let stranger = evidence(&mut chain, "//Eve", 2);
    assert_eq!(validate(&mut chain, stranger), refused(InvalidTransaction::BadSigner));
    assert!(chain.read(|| Equivocation::double_signs(10)).is_empty());
}

#[test]
fn a_report_with_a_signer_is_refused() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let proof = evidence(&mut chain, "//Bob", 2);
    let call = Equivocation::report_extrinsic(proof, None).function;
    let signed = chain.sign(Eve, 0, 0, call);
    let (_, applied) = chain.grow(vec![signed]);
    assert_eq!(applied, [Err(InvalidTransaction::BadSigner.into())]);
    assert!(chain.read(|| Equivocation::double_signs(10)).is_empty());
}

/// The set in force is known with its keys from genesis on.
#[test]
fn the_keys_of_the_first_set_are_noted() {
    let mut chain = Chain::of("regtest");
    chain.read(|| {
        let set = SequencerRegistry::sequencer_set();
        let known = pallet_equivocation::Sets::<Runtime>::get(set.set_id).unwrap_or_default();
        let known: Vec<_> = known.into_iter().map(|k| (k.account, k.key)).collect();
        let expected: Vec<_> = set.members.into_iter().map(|m| (m.account, m.grandpa)).collect();
        assert_eq!(known, expected);
    });
}

/// R22.5: the account that a report names gets its share of what the offence cost, unless
/// it is the offender's.
#[test]
fn r22_5_who_is_named_in_a_report_is_rewarded() {
    for (reporter, reward) in [(Eve, 100_000), (Bob, 0)] {
        let mut chain = Chain::of("regtest");
        let bond = RuntimeCall::Stake(pallet_stake::Call::bond { amount: 1_000_000 });
        let bond = chain.sign(Bob, 0, 0, bond);
        assert_eq!(chain.grow(vec![bond]).1, [Ok(Ok(()))]);
        let account: AccountId = reporter.to_account_id();
        let proof = evidence(&mut chain, "//Bob", 1);
        let before = chain.read(|| Balances::balance(&account));
        let report = Equivocation::report_extrinsic(proof, Some(account.clone()));
        assert_eq!(chain.grow(vec![report]).1, [Ok(Ok(()))]);
        assert_eq!(chain.read(|| Balances::balance(&account)) - before, reward);
        // Less than the least penalty was at stake, so all of it is gone.
        assert_eq!(chain.read(|| Stake::stake(&Bob.to_account_id())), 0);
        assert_eq!(chain.read(|| Balances::balance(&Stake::fund())), (1_000_000 - reward) / 2);
        assert!(chain.read(BurnMint::supply).valid);
    }
}
