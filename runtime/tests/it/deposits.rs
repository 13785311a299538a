//! Deposits in a vault, while no chain has one.

use crate::{chain::Chain, stake::apply};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, Peg},
    l1::{
        burn::{BurnRejection, Recipient},
        deposit, L1Hash, OutPoint,
    },
    relay::L1Event,
};
use cascoin_l2_runtime::BurnMint;
use sp_keyring::Sr25519Keyring::Eve;

/// Chain id of the `regtest` preset.
const CHAIN: u32 = 3;

#[test]
fn r4_1_a_deposit_is_on_record_as_rejected_for_want_of_a_vault() {
    let mut chain = Chain::of("regtest");
    chain.grow(vec![]);
    let before = chain.read(BurnMint::supply);
    let outpoint = OutPoint { txid: L1Hash([9; 32]), vout: 1 };
    let event = L1Event::VaultDeposit {
        outpoint,
        chain_id: CHAIN,
        value: 1_000_000,
        script: [5; 32],
        body: deposit::body(&Recipient::Account(Eve.to_account_id()))
            .to_vec()
            .try_into()
            .expect("it fits"),
    };
    apply(&mut chain, 1, vec![event]);
    let record = chain.read(|| BurnMint::burn(&outpoint)).expect("it is on record");
    assert_eq!(record.outcome, BurnOutcome::Rejected(BurnRejection::NoVault));
    assert_eq!((record.peg, record.minted), (Peg::Vault, 0));
    assert_eq!(record.recipient, Some(Eve.to_account_id()));
    let after = chain.read(BurnMint::supply);
    assert_eq!((after.minted, after.vaulted), (before.minted, 0));
    assert_eq!(after.rejected_count, before.rejected_count + 1);
    assert!(after.valid);
}
