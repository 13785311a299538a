//! Targets of `scripts/fuzz` (R43.5): what is read of L1's blocks. The `bitcoin` crate reads
//! the same bytes, and both must agree; what is read as events is checked against the block.

use crate::{
    block::{builder, Block, Header, Transaction, HEADER_LEN},
    events::{events, local_block},
    sighash::legacy_digest_of_type,
    signer::first_signing_key,
};
use bitcoin::{
    block::Block as TheirBlock,
    consensus::{deserialize, serialize},
    hashes::Hash,
    secp256k1::Secp256k1,
    Script, Transaction as Theirs,
};
use cascoin_fuzz::fuzz;
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        address::L1Address,
        burn::{BurnPayload, Recipient},
        cross_layer::CrossLayerPayload,
        deposit,
        forced::{data_script, ForcedPayload},
        registration::{chain_name, Registration},
        revocation::Revocation,
        stake::{StakePayload, TimeLock},
        transaction::StrippedTransaction,
        L1Hash,
    },
    relay::{EventPage, L1Event, MAX_PAGE_BYTES},
};
use codec::{DecodeAll, Encode};
use std::collections::BTreeSet;

const CHAIN: u32 = 3;
/// Where the transactions below say something.
const HEIGHT: u32 = builder::TRUST_HEIGHT;

fn account() -> AccountId {
    AccountId::new([7; 32])
}

fn burn() -> Vec<u8> {
    BurnPayload { chain_id: CHAIN, recipient: Recipient::Account(account()), amount: 7 }.script()
}

/// Transactions with an event of each kind, signed in each form that proves something.
fn transactions() -> Vec<Vec<u8>> {
    let signed = |before: Vec<u8>, form| {
        let said = builder::trust(1, 9, &builder::signer());
        builder::Trust { before: Some(before), burn: Some(burn()), ..said }.signed_as(form, 0x41)
    };
    let message = CrossLayerPayload { gas: 9, call: vec![1, 2] }.script(CHAIN).expect("it fits");
    let revocation = Revocation { chain_id: CHAIN, account: account() }.script();
    let lock = TimeLock { unlock: HEIGHT + 60_000, owner: [2; 20] };
    let stake = StakePayload { account: account(), unlock: lock.unlock, owner: lock.owner };
    let name = chain_name(b"demo").expect("a name");
    let registration = Registration { lock, definition: L1Hash([4; 32]), name };
    let data = [8; 90];
    let forced = ForcedPayload::of(&data).expect("it fits").script(CHAIN);
    let shown = data_script(&data, &[2; 33]).expect("it fits");
    let vault = L1Address::WitnessScriptHash([5; 32]).script();
    let said = deposit::script(&Recipient::Account(account()), CHAIN);
    vec![
        signed(message.clone(), builder::Form::Legacy),
        signed(message, builder::Form::Nested),
        signed(revocation, builder::Form::Legacy),
        builder::transaction(2, &[(0, stake.script(CHAIN)), (900, stake.lock_script())]),
        builder::transaction(3, &[(0, registration.script(CHAIN)), (900, lock.script())]),
        builder::add_witness(&builder::transaction(4, &[(3, forced)]), &[&[1; 70], &shown]),
        builder::transaction(5, &[(0, said), (900, vault)]),
        builder::transaction(6, &[(7, burn()), (0, burn()), (5, vec![0x51])]),
    ]
}

/// Whether ours may refuse what theirs reads: it reads nothing without inputs, and no
/// negative value.
fn must_be_read(theirs: &Theirs) -> bool {
    let in_range = |value: u64| i64::try_from(value).is_ok();
    !theirs.input.is_empty() && theirs.output.iter().all(|out| in_range(out.value.to_sat()))
}

#[test]
fn transaction() {
    fuzz(&transactions(), |raw| {
        let theirs = deserialize::<Theirs>(raw);
        let Ok(ours) = Transaction::read(raw) else {
            assert!(!theirs.is_ok_and(|theirs| must_be_read(&theirs)), "refused without need");
            return false;
        };
        let theirs = theirs.expect("who reads it strictly reads what everybody reads");
        assert_eq!(serialize(&theirs), raw, "there is one form of a transaction");
        assert_eq!(ours.txid.0, theirs.compute_txid().to_byte_array());
        assert_eq!(ours.inputs, theirs.input.len());
        let spent = theirs.input.first().map(|input| {
            let at = input.previous_output;
            (at.txid.to_byte_array(), at.vout)
        });
        assert_eq!(ours.first_spent.map(|at| (at.txid.0, at.vout)), spent);
        let outputs =
            theirs.output.iter().map(|out| (out.value.to_sat(), out.script_pubkey.as_bytes()));
        assert!(ours.outputs.iter().map(|out| (out.value, out.script)).eq(outputs));
        true
    });
}

/// The reader for the runtime, which knows no witnesses, and the digests that are signed.
#[test]
fn stripped_transaction_and_sighash() {
    let plain = transactions().into_iter().filter(|raw| raw[4] != 0).collect::<Vec<_>>();
    fuzz(&plain, |raw| {
        let theirs = deserialize::<Theirs>(raw).ok().filter(|theirs| {
            !theirs.output.is_empty() && theirs.input.iter().all(|input| input.witness.is_empty())
        });
        let Some(ours) = StrippedTransaction::read(raw) else {
            // Without inputs theirs is of BIP 144's form.
            assert!(theirs.is_none_or(|theirs| theirs.input.is_empty()), "refused without need");
            return false;
        };
        let theirs = theirs.expect("who reads it strictly reads what everybody reads");
        assert_eq!(serialize(&theirs), raw);
        let inputs = theirs.input.iter().map(|input| {
            let at = input.previous_output;
            (at.txid.to_byte_array(), at.vout, input.script_sig.as_bytes())
        });
        let read = ours.inputs.iter();
        let read = read.map(|input| (input.outpoint.txid.0, input.outpoint.vout, input.script));
        assert!(read.eq(inputs));
        let outputs =
            theirs.output.iter().map(|out| (out.value.to_sat(), out.script_pubkey.as_bytes()));
        assert!(ours.outputs.iter().map(|out| (out.value, out.script)).eq(outputs));
        let script = theirs.output[0].script_pubkey.as_bytes();
        for index in 0..=ours.inputs.len().min(3) {
            for hash_type in [0x01, 0x41] {
                let of_theirs =
                    legacy_digest_of_type(&theirs, index, Script::from_bytes(script), hash_type);
                assert_eq!(ours.legacy_digest(index, script, hash_type), of_theirs.ok());
            }
        }
        true
    });
}

/// Who is taken to have signed has signed just this.
#[test]
fn signer() {
    let key = builder::signer().public_key(&Secp256k1::new()).serialize();
    let signed: Vec<_> =
        transactions().into_iter().filter(|raw| first_signing_key(raw) == Some(key)).collect();
    assert_eq!(signed.len(), 3);
    // The nested form is not verified here: its block is what proves it.
    let legacy: Vec<_> = signed.into_iter().filter(|raw| raw[4] != 0).collect();
    let without_scripts = |raw: &[u8]| {
        let mut read: Theirs = deserialize(raw).expect("it was read");
        for input in &mut read.input {
            input.script_sig = Default::default();
        }
        serialize(&read)
    };
    let said: Vec<_> = legacy.iter().map(|raw| without_scripts(raw)).collect();
    fuzz(&legacy, |raw| {
        // The witness flag alone makes it the other form.
        let Some(found) = first_signing_key(raw).filter(|_| raw[4] != 0) else { return false };
        assert_eq!(found, key, "somebody else's signature");
        assert!(said.contains(&without_scripts(raw)), "the key did not sign this");
        true
    });
}

/// Blocks whose header is the one that was asked for, whatever is in it.
fn read_block(raw: &[u8]) -> Option<Block> {
    let header = raw.get(..HEADER_LEN)?;
    let hash = L1Hash::of(header);
    let read = Header::read(header, &hash).expect("any 80 bytes are a header");
    assert_eq!(read.hash, hash);
    let mut other = hash;
    other.0[0] ^= 1;
    assert!(Block::read(raw.to_vec(), &other).is_err(), "another block than asked for");
    Block::read(raw.to_vec(), &hash).ok()
}

/// Damage that keeps the Merkle root is damage of witnesses, of the coinbase's commitment to
/// them, or of the header.
#[test]
fn block() {
    let of = |transactions: &[Vec<u8>]| builder::raw_block(&builder::with_commitment(transactions));
    let all = transactions();
    let without = builder::raw_block(&builder::with_coinbase(&all[7..]));
    let blocks = [of(&all), of(&all[5..6]), of(&[]), without];
    fuzz(&blocks, |raw| {
        let Some(ours) = read_block(raw) else { return false };
        let theirs: TheirBlock =
            deserialize(raw).expect("who reads it strictly reads what everybody reads");
        assert_eq!(serialize(&theirs), raw, "there is one form of a block");
        assert!(theirs.check_merkle_root() && theirs.check_witness_commitment());
        assert_eq!(ours.header().hash.0, theirs.block_hash().to_byte_array());
        assert_eq!(ours.header().previous.0, theirs.header.prev_blockhash.to_byte_array());
        assert_eq!(ours.header().time, theirs.header.time);
        assert_eq!(ours.transaction_count(), theirs.txdata.len());
        let raws = theirs.txdata.iter().map(serialize);
        assert!(ours.transactions().map(|transaction| transaction.raw().to_vec()).eq(raws));
        let coinbases = ours.transactions().filter(|transaction| transaction.is_coinbase());
        assert_eq!(coinbases.count(), 1);
        true
    });
}

/// Any transaction that L1 could have mined, in a block that it could have made.
#[test]
fn events_of_a_block() {
    fuzz(&transactions(), |raw| {
        if Transaction::read(raw).is_err() {
            return false;
        }
        let block = builder::raw_block(&builder::with_commitment(&[raw.to_vec()]));
        // A second coinbase is refused.
        let Some(block) = read_block(&block) else { return false };
        let found = events(&block, HEIGHT);
        assert_eq!(found, events(&block, HEIGHT));
        // An output says one thing at most, and the one that holds coins one more.
        let outputs: Vec<_> = block.outputs().map(|(at, output)| (at, output.value)).collect();
        assert!(found.len() <= outputs.len() + block.transaction_count());
        // No output's coins are counted twice, and none are counted that are not there.
        let coins: Vec<_> = found.iter().filter_map(coins).collect();
        assert!(coins.iter().all(|coins| outputs.contains(coins)), "{coins:?}");
        let distinct: BTreeSet<_> = coins.iter().map(|(at, _)| *at).collect();
        assert_eq!(distinct.len(), coins.len(), "{coins:?}");
        let local = local_block(&block, HEIGHT, &[7]);
        assert_eq!(local.digest.event_count as usize, found.len());
        for page in &local.pages {
            let encoded = page.encode();
            assert!(encoded.len() <= MAX_PAGE_BYTES);
            assert_eq!(EventPage::decode_all(&mut &encoded[..]).as_ref(), Ok(page));
        }
        let paged = local.pages.iter().flat_map(|page| page.events.iter().cloned());
        assert!(paged.eq(found.iter().cloned()));
        !found.is_empty()
    });
}

/// The output whose coins an event counts.
fn coins(event: &L1Event) -> Option<(cascoin_l2_primitives::l1::OutPoint, u64)> {
    match event {
        L1Event::Burn { outpoint, value, .. }
        | L1Event::Message { outpoint, value, .. }
        | L1Event::Stake { outpoint, value, .. }
        | L1Event::ChainRegistration { outpoint, value, .. }
        | L1Event::VaultDeposit { outpoint, value, .. } => Some((*outpoint, *value)),
        L1Event::Trust(_) | L1Event::KeyRevocation { .. } | L1Event::ForcedTransaction { .. } => {
            None
        }
    }
}
