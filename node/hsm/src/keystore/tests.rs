//! The keystore over a token that is made of pairs in memory, for what a real one does not do.

use super::*;
use cascoin_l2_primitives::consensus::{bft_message, GrandpaRound, Step};
use sp_core::H256;
use sp_keystore::testing::MemoryKeystore;
use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc,
};

const GRAN: KeyTypeId = KeyTypeId(*b"gran");
const SEED: &str = "//Soft";

/// One `gran` key, until it is taken away; its signatures are wrong while it is told so.
#[derive(Clone, Default)]
struct Soft {
    lies: Arc<AtomicBool>,
    empty: Arc<AtomicBool>,
}

impl Device for Soft {
    fn keys(&mut self) -> Result<Vec<TokenKey>, TokenError> {
        let key = TokenKey { kind: KeyKind::Gran, public: pair().public().0.to_vec() };
        Ok(if self.empty.load(Ordering::SeqCst) { Vec::new() } else { vec![key] })
    }

    fn sign(&mut self, _: &TokenKey, message: &[u8]) -> Result<[u8; 64], TokenError> {
        let mut signature = pair().sign(message).0;
        signature[7] ^= u8::from(self.lies.load(Ordering::SeqCst));
        Ok(signature)
    }

    fn generate(&mut self, _: KeyKind) -> Result<TokenKey, TokenError> {
        Err(TokenError::Unavailable("full".into()))
    }
}

fn pair() -> ed25519::Pair {
    ed25519::Pair::from_string(SEED, None).unwrap()
}

fn prevote(height: u32, block: u8) -> Vec<u8> {
    let at = GrandpaRound { epoch: 0, height, round: 0 };
    bft_message(&H256([1; 32]), 0, at, Step::Prevote, Some(&H256([block; 32])), None)
}

fn open(token: &Soft, folder: &tempfile::TempDir, local: KeystorePtr) -> HsmKeystore {
    let marks = HighWater::new(folder.path().to_owned());
    HsmKeystore::open(Box::new(token.clone()), marks, true, local).unwrap()
}

#[test]
fn a_wrong_signature_is_not_given_out_and_leaves_no_mark() {
    let (token, folder) = (Soft::default(), tempfile::tempdir().unwrap());
    let keystore = open(&token, &folder, Arc::new(MemoryKeystore::new()));
    token.lies.store(true, Ordering::SeqCst);
    let said = keystore.ed25519_sign(GRAN, &pair().public(), &prevote(1, 1)).unwrap_err();
    assert!(said.to_string().contains("signature is wrong"), "{said}");
    token.lies.store(false, Ordering::SeqCst);
    assert_eq!(keystore.last_signed(&pair().public()).unwrap(), Vec::<Vec<u8>>::new());
    keystore.ed25519_sign(GRAN, &pair().public(), &prevote(1, 2)).unwrap().unwrap();
}

/// Only what is used is taken for new, and a mark that is lost later is not made again.
#[test]
fn a_new_key_gets_its_mark_with_its_first_vote_and_once() {
    let (token, folder) = (Soft::default(), tempfile::tempdir().unwrap());
    let (public, mark) = (pair().public(), folder.path().join(hex::encode(pair().public().0)));
    let has = |keystore: &HsmKeystore| keystore.has_keys(&[(public.0.to_vec(), GRAN)]);
    let keystore = open(&token, &folder, Arc::new(MemoryKeystore::new()));
    assert!(has(&keystore) && !mark.exists(), "it is there, and has signed nothing");
    assert_eq!(keystore.last_signed(&public).unwrap(), Vec::<Vec<u8>>::new());
    keystore.ed25519_sign(GRAN, &public, b"greeting").unwrap().unwrap();
    assert!(!mark.exists());
    keystore.ed25519_sign(GRAN, &public, &prevote(1, 1)).unwrap().unwrap();
    assert!(mark.exists() && keystore.new.lock().is_empty());
    assert_eq!(keystore.last_signed(&public).unwrap(), [prevote(1, 1)]);
}

/// A key that nobody uses any more is no reason not to start; one that is used stays silent.
#[test]
fn a_key_whose_mark_is_lost_does_not_sign_and_does_not_end_the_start() {
    let (token, folder) = (Soft::default(), tempfile::tempdir().unwrap());
    let open = |new_keys| {
        let marks = HighWater::new(folder.path().to_owned());
        HsmKeystore::open(Box::new(token.clone()), marks, new_keys, Arc::new(MemoryKeystore::new()))
    };
    let public = pair().public();
    let keystore = open(false).unwrap();
    assert!(!keystore.has_keys(&[(public.0.to_vec(), GRAN)]), "nobody knows what it signed");
    let said = keystore.ed25519_sign(GRAN, &public, &prevote(1, 1)).unwrap_err();
    assert!(said.to_string().contains("--accept-missing-log"), "{said}");
    assert!(keystore.last_signed(&public).is_err());
    // A mark that is there and bad is another thing.
    std::fs::write(folder.path().join(hex::encode(public.0)), b"rotten").unwrap();
    for new_keys in [false, true] {
        let said = open(new_keys).err().expect("a damaged mark").to_string();
        assert!(said.contains("damaged"), "{said}");
    }
}

/// A copy of a token's key in the node's folder is no way around the mark.
#[test]
fn a_key_that_left_the_token_signs_no_second_vote_from_the_folder() {
    let (token, folder) = (Soft::default(), tempfile::tempdir().unwrap());
    let local = Arc::new(MemoryKeystore::new());
    let keystore = open(&token, &folder, local.clone());
    let public = pair().public();
    keystore.ed25519_sign(GRAN, &public, &prevote(1, 1)).unwrap().unwrap();
    drop(keystore);
    token.empty.store(true, Ordering::SeqCst);
    let keystore = open(&token, &folder, local.clone());
    // Nowhere at all: no mark is left by what was not signed.
    keystore.ed25519_sign(GRAN, &public, &prevote(2, 1)).unwrap_err();
    local.insert(GRAN, SEED, &public.0).unwrap();
    let said = keystore.ed25519_sign(GRAN, &public, &prevote(1, 2)).unwrap_err();
    assert!(said.to_string().contains("has signed the prevote of height 1"), "{said}");
    let signed = keystore.ed25519_sign(GRAN, &public, &prevote(2, 2)).unwrap().unwrap();
    assert!(ed25519::Pair::verify(&signed, prevote(2, 2), &public));
    assert_eq!(keystore.last_signed(&public).unwrap(), [prevote(2, 2), prevote(1, 1)]);
    // A key that no token ever had is the folder's own business.
    let own = keystore.ed25519_generate_new(GRAN, Some("//Own")).unwrap();
    for block in [1, 2] {
        keystore.ed25519_sign(GRAN, &own, &prevote(1, block)).unwrap().unwrap();
    }
    assert_eq!(keystore.last_signed(&own).unwrap(), Vec::<Vec<u8>>::new());
}
