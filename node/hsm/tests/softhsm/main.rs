//! The keystore over a real token: Debian's `softhsm2` (R30.1).

mod support;

use cascoin_hsm::{KeyKind, TokenConfig};
use cascoin_l2_primitives::{
    chain::key_types::{AURA, GRANDPA, RELAY, VAULT},
    consensus::{bft_message, precommit_payload, GrandpaRound, Step},
};
use sp_core::{ecdsa, ed25519, Pair, H256};
use sp_keystore::Keystore;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};
use support::{secret, SoftHsm, LABEL, PIN};

fn prevote(height: u32, round: u16, block: u8) -> Vec<u8> {
    let at = GrandpaRound { epoch: 0, height, round };
    bft_message(&H256([1; 32]), 0, at, Step::Prevote, Some(&H256([block; 32])), None)
}

fn precommit(height: u32, round: u16, block: u8) -> Vec<u8> {
    precommit_payload(H256([block; 32]), height, GrandpaRound { epoch: 0, height, round }, 0)
}

/// What it said; panics if there is no error.
fn error<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.err().expect("it should have failed").to_string()
}

#[test]
fn keys_of_all_types_are_made_on_the_token_and_sign() {
    let hsm = SoftHsm::new();
    let keystore = hsm.open(false).unwrap();
    for key_type in [AURA, GRANDPA, RELAY] {
        let public = keystore.ed25519_generate_new(key_type, None).unwrap();
        let signature = keystore.ed25519_sign(key_type, &public, b"message").unwrap().unwrap();
        assert!(ed25519::Pair::verify(&signature, b"message", &public));
        assert_eq!(keystore.ed25519_public_keys(key_type), [public]);
        assert!(keystore.has_keys(&[(public.0.to_vec(), key_type)]));
        // A key is of its type only.
        assert!(!keystore.has_keys(&[(public.0.to_vec(), VAULT)]));
    }
    let public = keystore.ecdsa_generate_new(VAULT, None).unwrap();
    // Several, for their form and their recovery id vary.
    for message in 0..16u8 {
        let signature = keystore.ecdsa_sign(VAULT, &public, &[message]).unwrap().unwrap();
        assert!(ecdsa::Pair::verify(&signature, [message], &public));
        let hash = [message; 32];
        let signature = keystore.ecdsa_sign_prehashed(VAULT, &public, &hash).unwrap().unwrap();
        assert!(ecdsa::Pair::verify_prehashed(&signature, &hash, &public));
    }
    assert_eq!(keystore.token_keys().len(), 4);
    assert!(hsm.local.ed25519_public_keys(GRANDPA).is_empty(), "none went to the disk");
}

#[test]
fn keys_and_marks_outlast_a_restart() {
    let hsm = SoftHsm::new();
    let keystore = hsm.open(false).unwrap();
    let key = keystore.ed25519_generate_new(GRANDPA, None).unwrap();
    let first = keystore.ed25519_sign(GRANDPA, &key, &prevote(5, 0, 1)).unwrap();
    drop(keystore);

    let keystore = hsm.open(false).unwrap();
    assert_eq!(keystore.ed25519_public_keys(GRANDPA), [key]);
    // The same once more is the same signature; anything else at or below it is refused.
    assert_eq!(keystore.ed25519_sign(GRANDPA, &key, &prevote(5, 0, 1)).unwrap(), first);
    let said = error(keystore.ed25519_sign(GRANDPA, &key, &prevote(5, 0, 2)));
    assert!(said.contains("has signed the prevote of height 5 round 0"), "{said}");
    error(keystore.ed25519_sign(GRANDPA, &key, &prevote(4, 7, 1)));
    let signed = keystore.ed25519_sign(GRANDPA, &key, &precommit(5, 0, 1)).unwrap().unwrap();
    assert!(ed25519::Pair::verify(&signed, precommit(5, 0, 1), &key));
    error(keystore.ed25519_sign(GRANDPA, &key, &precommit(5, 0, 2)));
    error(keystore.ed25519_sign(GRANDPA, &key, &prevote(5, 0, 1)));
    let last = keystore.last_signed(&key).unwrap();
    assert_eq!(last, [precommit(5, 0, 1), prevote(5, 0, 1)], "newest first");
}

#[test]
fn proofs_of_possession_raise_no_mark_and_votes_are_for_one_key_type() {
    let hsm = SoftHsm::new();
    let keystore = hsm.open(false).unwrap();
    let vote = keystore.ed25519_generate_new(GRANDPA, None).unwrap();
    let seal = keystore.ed25519_generate_new(AURA, None).unwrap();
    keystore.ed25519_sign(GRANDPA, &vote, &prevote(5, 0, 1)).unwrap();
    for key in [(GRANDPA, vote), (AURA, seal)] {
        let proof = [b"POP_".as_slice(), &[3; 32]].concat();
        let signed = keystore.ed25519_sign(key.0, &key.1, &proof).unwrap().unwrap();
        assert!(ed25519::Pair::verify(&signed, &proof, &key.1));
    }
    let said = error(keystore.ed25519_sign(AURA, &seal, &prevote(9, 0, 1)));
    assert!(said.contains("a key that does not vote"), "{said}");
    let mut grandpa_prevote = precommit(9, 0, 1);
    grandpa_prevote[0] = 0;
    error(keystore.ed25519_sign(GRANDPA, &vote, &grandpa_prevote));
}

#[test]
fn a_key_whose_mark_is_missing_is_refused_unless_it_is_new() {
    let hsm = SoftHsm::new();
    let keystore = hsm.open(false).unwrap();
    let key = keystore.ed25519_generate_new(GRANDPA, None).unwrap();
    drop(keystore);
    fs::remove_dir_all(hsm.marks()).unwrap();
    let keystore = hsm.open(false).unwrap();
    assert!(!keystore.has_keys(&[(key.0.to_vec(), GRANDPA)]));
    let said = error(keystore.ed25519_sign(GRANDPA, &key, &prevote(5, 0, 1)));
    assert!(said.contains("--accept-missing-log") && said.contains(&hex(&key)), "{said}");
    drop(keystore);
    let keystore = hsm.open(true).unwrap();
    keystore.ed25519_sign(GRANDPA, &key, &prevote(5, 0, 1)).unwrap().unwrap();
}

#[test]
fn what_the_token_lacks_is_the_nodes_own() {
    let hsm = SoftHsm::new();
    let keystore = hsm.open(false).unwrap();
    let dev = keystore.ed25519_generate_new(GRANDPA, Some("//Alice")).unwrap();
    assert!(keystore.token_keys().is_empty(), "a development key went to the token");
    assert!(keystore.has_keys(&[(dev.0.to_vec(), GRANDPA)]));
    let signed = keystore.ed25519_sign(GRANDPA, &dev, b"message").unwrap().unwrap();
    assert!(ed25519::Pair::verify(&signed, b"message", &dev));
    let unknown = ed25519::Public::from_raw([9; 32]);
    assert!(keystore.ed25519_sign(GRANDPA, &unknown, b"message").unwrap().is_none());
    let on_token = keystore.ed25519_generate_new(GRANDPA, None).unwrap();
    assert_eq!(keystore.ed25519_public_keys(GRANDPA), [on_token, dev]);
}

/// As an operator's own tools put them there.
#[test]
fn keys_that_others_imported_are_found_by_their_label() {
    let hsm = SoftHsm::new();
    let pair = ed25519::Pair::from_string("//Alice", None).unwrap();
    let key = hsm.path("key.pem");
    fs::write(&key, pkcs8(&pair.seed())).unwrap();
    let file = key.to_str().unwrap();
    let place = ["--token", LABEL, "--label", "cascoin-l2/gran", "--id", "a1"];
    hsm.util(&[&["--import", file], &place[..]].concat());
    let place = ["--token", LABEL, "--label", "something else", "--id", "a2"];
    hsm.util(&[&["--import", file], &place[..]].concat());

    let keystore = hsm.open(true).unwrap();
    let keys = keystore.token_keys();
    assert_eq!(keys.len(), 1);
    assert_eq!((keys[0].kind, &keys[0].public[..]), (KeyKind::Gran, &pair.public().0[..]));
    let signed = keystore.ed25519_sign(GRANDPA, &pair.public(), &prevote(1, 0, 1)).unwrap();
    assert_eq!(signed, Some(pair.sign(&prevote(1, 0, 1))));
}

/// Nobody knows what a key signed that others put there while the node runs.
#[test]
fn a_key_that_comes_without_its_mark_is_not_offered() {
    let hsm = SoftHsm::new();
    let keystore = hsm.open(false).unwrap();
    let pair = ed25519::Pair::from_string("//Alice", None).unwrap();
    let key = hsm.path("key.pem");
    fs::write(&key, pkcs8(&pair.seed())).unwrap();
    let file = key.to_str().unwrap();
    for (label, id) in [("cascoin-l2/gran", "a1"), ("cascoin-l2/aura", "a2")] {
        hsm.util(&["--import", file, "--token", LABEL, "--label", label, "--id", id]);
    }
    let has = |key_type| keystore.has_keys(&[(pair.public().0.to_vec(), key_type)]);
    let until = Instant::now() + Duration::from_secs(30);
    while !has(AURA) {
        assert!(Instant::now() < until, "the keys are not found");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!has(GRANDPA), "a key that votes is offered without its mark");
    let said = error(keystore.ed25519_sign(GRANDPA, &pair.public(), &prevote(1, 0, 1)));
    assert!(said.contains("--accept-missing-log"), "{said}");
}

#[test]
fn what_is_wrong_at_the_start_is_said() {
    let hsm = SoftHsm::new();
    let open = |change: fn(&mut TokenConfig)| {
        let mut config = hsm.config.clone();
        change(&mut config);
        error(hsm.open_as(config, false))
    };
    let said = open(|config| config.module = "/nowhere/libpkcs11.so".into());
    assert!(said.contains("/nowhere/libpkcs11.so") && said.contains("no such file"), "{said}");
    let said = open(|config| config.module = "/etc/hostname".into());
    assert!(said.contains("/etc/hostname"), "{said}");
    let said = open(|config| config.token = "another".into());
    assert!(said.contains("`another`") && said.contains(LABEL), "{said}");
    let said = open(|config| config.pin_file = "/nowhere/pin".into());
    assert!(said.contains("/nowhere/pin"), "{said}");
    secret(&hsm.path("empty"), "\n");
    let mut config = hsm.config.clone();
    config.pin_file = hsm.path("empty");
    let said = error(hsm.open_as(config, false));
    assert!(said.contains("first line is empty"), "{said}");
}

#[test]
fn a_pin_file_that_everybody_can_use_is_refused() {
    let hsm = SoftHsm::new();
    let file = hsm.config.pin_file.clone();
    for (mode, good) in [(0o644, false), (0o602, false), (0o640, true), (0o400, true)] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        match hsm.open(false) {
            Ok(_) => assert!(good, "{mode:o} is accepted"),
            Err(error) => {
                let said = error.to_string();
                assert!(!good && said.contains("chmod 600"), "{mode:o}: {said}");
                assert!(said.contains(file.to_str().unwrap()), "{said}");
            }
        }
    }
}

#[test]
fn a_wrong_pin_is_said_and_tried_once() {
    use cascoin_hsm::{device::Device, Token};
    let hsm = SoftHsm::new();
    secret(&hsm.config.pin_file, "wrong1");
    let mut token = Token::new(hsm.config.clone());
    let said = error(token.keys());
    assert!(said.contains("does not accept the PIN"), "{said}");
    // The right one comes too late: this process asks the token no more.
    secret(&hsm.config.pin_file, PIN);
    let said = error(token.keys());
    assert!(said.contains("does not accept the PIN"), "{said}");
    drop(token);
    hsm.open(false).unwrap();
}

#[test]
fn a_token_that_goes_away_is_said_and_used_again_when_it_is_back() {
    let hsm = SoftHsm::new();
    let keystore = hsm.open(false).unwrap();
    let key = keystore.ed25519_generate_new(GRANDPA, None).unwrap();
    let has = || keystore.has_keys(&[(key.0.to_vec(), GRANDPA)]);
    keystore.ed25519_sign(GRANDPA, &key, &prevote(1, 0, 1)).unwrap();

    fs::rename(hsm.path("tokens"), hsm.path("away")).unwrap();
    let began = Instant::now();
    let said = error(keystore.ed25519_sign(GRANDPA, &key, &prevote(2, 0, 1)));
    println!("a token that is gone: {said}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(!has(), "a key that cannot sign is offered");
    error(keystore.ed25519_sign(GRANDPA, &key, &prevote(2, 0, 1)));

    fs::rename(hsm.path("away"), hsm.path("tokens")).unwrap();
    let back = Instant::now();
    let until = Instant::now() + Duration::from_secs(15);
    while !has() {
        assert!(Instant::now() < until, "it is not taken up again");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
    // Nothing was signed at height 2, so this is free to be another vote.
    keystore.ed25519_sign(GRANDPA, &key, &prevote(2, 0, 2)).unwrap().unwrap();
}

fn hex(key: &ed25519::Public) -> String {
    key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An ed25519 secret as `softhsm2-util --import` reads it.
fn pkcs8(seed: &[u8; 32]) -> String {
    use std::fmt::Write;
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let der = [&head[..], seed].concat();
    // 48 bytes: base64 without padding.
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in der.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        for shift in [18, 12, 6, 0] {
            let digit = digits[(bits >> shift & 63) as usize];
            write!(text, "{}", char::from(digit)).unwrap();
        }
    }
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}
