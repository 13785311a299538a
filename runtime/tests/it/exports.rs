//! Reputations on their way to L1, through the whole runtime (R10.4).

use crate::chain::{preset, Chain};
use cascoin_l2_primitives::{
    l1::signed_message::{digest, key_hash},
    reputation::export::{
        export_message, ExportSignature, ExportVote, ExportedScore, SignedExport,
    },
    sequencers::{Offence, OffenceKind, OnOffence, SequencerSetProvider},
};
use cascoin_l2_runtime::{
    Reputation, ReputationExport, Runtime, RuntimeCall, SequencerRegistry, System,
    UncheckedExtrinsic,
};
use frame_support::weights::Weight;
use pallet_reputation_export::{Draft, Last, WeightInfo};
use sp_core::{ecdsa, ed25519, Pair, H160, H256};
use sp_keyring::Sr25519Keyring::{Alice, Eve};

const SEED: [u8; 32] = [7; 32];

fn address() -> H160 {
    H160(key_hash(&ecdsa::Pair::from_seed(&SEED).public().0))
}

/// The call that links the address to Alice, signed as its wallet does.
fn link(chain: &mut Chain) -> RuntimeCall {
    let message = chain.read(|| Reputation::message(&Alice.to_account_id()));
    let ours = ecdsa::Pair::from_seed(&SEED).sign_prehashed(&digest(&message)).0;
    let mut signature = [0; 65];
    signature[0] = 31 + ours[64];
    signature[1..].copy_from_slice(&ours[..64]);
    RuntimeCall::Reputation(pallet_reputation::Call::link_l1_address { signature })
}

/// A sequencer's signature of the last batch.
fn signature(chain: &mut Chain, signer: u16, seed: &str) -> UncheckedExtrinsic {
    chain.read(|| {
        let last = Last::<Runtime>::get();
        let set_id = <SequencerRegistry as SequencerSetProvider>::set_id();
        let message = export_message(&System::block_hash(0), set_id, &last.hash);
        let signature = ed25519::Pair::from_string(seed, None).expect("a seed").sign(&message);
        let signature = ExportSignature { signer, signature };
        let vote = ExportVote { set_id, sequence: last.sequence, signature };
        ReputationExport::sign_extrinsic(vote)
    })
}

fn drafted(chain: &mut Chain) -> Vec<(H160, u8)> {
    let entries = chain.read(Draft::<Runtime>::get);
    entries.iter().map(|entry| (entry.address, entry.exported.score.get())).collect()
}

#[test]
fn r10_4_a_linked_accounts_score_is_exported_at_the_end_of_an_epoch() {
    let mut chain = Chain::of("regtest");
    let parameters = preset("regtest").chain_parameters.parameters;
    chain.grow(vec![]);
    let link = link(&mut chain);
    let link = chain.sign(Alice, 0, 0, link);
    assert_eq!(chain.grow(vec![link]).1, [Ok(Ok(()))]);
    assert_eq!(drafted(&mut chain), [(address(), 90)]);
    // An offence is told of at once, and what changes without a word is found in turn.
    chain.read(|| {
        let (kind, offender) = (OffenceKind::Offline, Alice.to_account_id());
        Reputation::on_offence(&Offence { kind, offender, set_id: 0, height: 1 });
    });
    assert_eq!(drafted(&mut chain), [(address(), 85)]);

    let epoch = parameters.session_blocks * parameters.epoch_sessions;
    while chain.head.number < epoch {
        chain.grow(vec![]);
    }
    assert_eq!(chain.read(Last::<Runtime>::get).sequence, 1);
    let signatures: Vec<_> = ["//Alice", "//Bob", "//Charlie"]
        .into_iter()
        .zip(0..)
        .map(|(seed, signer)| signature(&mut chain, signer, seed))
        .collect();
    let forged = signature(&mut chain, 3, "//Eve");
    let (_, applied) = chain.grow([&signatures[..2], std::slice::from_ref(&forged)].concat());
    assert_eq!(applied[..2], [Ok(Ok(())), Ok(Ok(()))]);
    assert!(applied[2].is_err(), "{applied:?}");
    assert!(chain.read(|| ReputationExport::exports(0, 16)).signed.is_empty());
    let (_, applied) = chain.grow(vec![signatures[2].clone(), signatures[0].clone()]);
    assert_eq!(applied[0], Ok(Ok(())));
    assert!(applied[1].is_err(), "it is signed");

    let shown = chain.read(|| ReputationExport::exports(0, 16));
    let (genesis, set_id, keys): (H256, u64, Vec<_>) = chain.read(|| {
        let keys = (0..4).filter_map(<SequencerRegistry as SequencerSetProvider>::relay_key);
        let set_id = <SequencerRegistry as SequencerSetProvider>::set_id();
        (System::block_hash(0), set_id, keys.collect())
    });
    let [signed]: [SignedExport; 1] = shown.signed.try_into().expect("there is one");
    assert_eq!(signed.verify(&genesis, set_id, &keys), Ok(()));
    assert_eq!(signed.export.height, epoch);
    let exported = signed.export.entries.first().map(|entry| (entry.address, entry.exported));
    let score = cascoin_l2_primitives::reputation::Score::saturating(85);
    assert_eq!(exported, Some((address(), ExportedScore { score, suspicion: None })));
}

/// A day forgives a point: after five days the export is out of date.
#[test]
fn r10_4_what_time_changes_is_exported_too() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let link = link(&mut chain);
    let link = chain.sign(Alice, 0, 0, link);
    chain.grow(vec![link]);
    chain.read(|| {
        let (kind, offender) = (OffenceKind::TimestampManipulation, Alice.to_account_id());
        Reputation::on_offence(&Offence { kind, offender, set_id: 0, height: 1 });
    });
    assert_eq!(drafted(&mut chain), [(address(), 80)]);
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    chain.time += 4 * DAY_MS;
    chain.grow(vec![]);
    assert_eq!(drafted(&mut chain), [(address(), 80)]);
    chain.time += DAY_MS;
    chain.grow(vec![]);
    assert_eq!(drafted(&mut chain), [(address(), 85)]);
}

/// Set id, sequencers, barred keys, last batch, its signatures and the hash of genesis are
/// read, and the signature is verified twice, by the host and by the runtime itself: 50 µs each
/// at the least.
#[test]
fn validating_a_signature_is_paid_for_with_all_that_it_takes() {
    let weight = <Runtime as pallet_reputation_export::Config>::WeightInfo::authorize_signature();
    let reads = <Runtime as frame_system::Config>::DbWeight::get().reads(6);
    let verifying = Weight::from_parts(2 * 50_000_000, 0);
    assert!(weight.all_gte(reads.saturating_add(verifying)));
}

#[test]
fn an_export_is_signed_by_no_transaction_of_an_account() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let call = signature(&mut chain, 0, "//Alice").function;
    let signed = chain.sign(Eve, 0, 0, call);
    assert!(matches!(chain.grow(vec![signed]).1[..], [Ok(Err(_))]));
}
