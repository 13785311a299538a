//! Keys and coins of networks for development: everybody knows the keys.

use crate::{AccountId, Balance, SessionKeys};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::reputation::Score;
use pallet_sequencer_registry::Member;
use sp_core::{ecdsa, ed25519, hex2array};
use sp_keyring::{
    Ed25519Keyring,
    Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie},
};

/// Coins of each endowed account: enough for fees, little beside what a test
/// burns on L1.
const ENDOWMENT_COINS: Balance = 1_000;

/// L1's score of each sequencer, well above what benefits ask for.
const L1_SCORE: Score = Score::saturating(90);

/// Everybody ranks alike.
const WEIGHT: u64 = 100;

/// The session keys of a development sequencer: the keys of the seed `//Alice`
/// (and so on) in each scheme. `None` for a name that is no development
/// sequencer (Alice, Bob, Charlie, Dave).
pub fn development_session_keys(who: Sr25519Keyring) -> Option<SessionKeys> {
    // The SDK's keyring has no ecdsa, and deriving keys is no runtime's business:
    // a test checks these against their seeds.
    let (ed25519, ecdsa) = match who {
        Alice => (
            Ed25519Keyring::Alice,
            hex2array!("020a1091341fe5664bfa1782d5e04779689068c916b04cb365ec3153755684d9a1"),
        ),
        Bob => (
            Ed25519Keyring::Bob,
            hex2array!("0390084fdbf27d2b79d26a4f13f0ccd982cb755a661969143c37cbc49ef5b91f27"),
        ),
        Charlie => (
            Ed25519Keyring::Charlie,
            hex2array!("0389411795514af1627765eceffcbd002719f031604fadd7d188e2dc585b4e1afb"),
        ),
        Dave => (
            Ed25519Keyring::Dave,
            hex2array!("03bc9d0ca094bd5b8b3225d7651eac5d18c1c04bf8ae8f8b263eebca4e1410ed0c"),
        ),
        _ => return None,
    };
    let ed25519: ed25519::Public = ed25519.public();
    Some(SessionKeys {
        aura: ed25519.into(),
        grandpa: ed25519.into(),
        relay: ed25519.into(),
        vault: ecdsa::Public::from_raw(ecdsa).into(),
    })
}

/// pallet-session's genesis: account, validator id (the account again), keys.
pub(super) fn session(sequencers: &[Sr25519Keyring]) -> Vec<(AccountId, AccountId, SessionKeys)> {
    sequencers
        .iter()
        .filter_map(|who| {
            let account = who.to_account_id();
            Some((account.clone(), account, development_session_keys(*who)?))
        })
        .collect()
}

/// The registry's genesis.
pub(super) fn members(sequencers: &[Sr25519Keyring]) -> Vec<Member> {
    sequencers.iter().map(|who| Member { account: who.to_account_id(), weight: WEIGHT }).collect()
}

/// What L1 says of the sequencers.
pub(super) fn l1_scores(sequencers: &[Sr25519Keyring]) -> Vec<(AccountId, Score)> {
    sequencers.iter().map(|who| (who.to_account_id(), L1_SCORE)).collect()
}

/// Who has coins at genesis.
pub(super) fn endowments(decimals: u8) -> Vec<(AccountId, Balance)> {
    let amount = ENDOWMENT_COINS * 10u128.pow(decimals.into());
    vec![Alice, Bob, Charlie, Dave, Eve, Ferdie]
        .into_iter()
        .map(|who| (who.to_account_id(), amount))
        .collect()
}
