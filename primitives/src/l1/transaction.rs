//! An L1 transaction as its identifier covers it: without witnesses.
//!
//! Read strictly: lengths in their shortest form, counts checked against the bytes that
//! are left, no byte over. It says what stands there, and whether a public-key-hash
//! input is signed; whether it is valid on L1 is shown by the block that it is in.

use super::{address::L1Address, signed_message::key_hash, L1Hash, OutPoint};
use alloc::vec::Vec;
use sp_core::{ecdsa, H160};

/// Fewest bytes of an input: outpoint, empty script, sequence.
const MIN_INPUT: usize = 36 + 1 + 4;
/// Fewest bytes of an output: value, empty script.
const MIN_OUTPUT: usize = 8 + 1;
/// What the only input of a coinbase spends.
const NULL: OutPoint = OutPoint { txid: L1Hash([0; 32]), vout: u32::MAX };
/// `ALL`, and `ALL` with `SIGHASH_FORKID`: the signature commits to all inputs and
/// outputs.
const COMMITS_TO_ALL: [u8; 2] = [0x01, 0x41];
/// No push of more bytes is a single byte and the bytes.
const MAX_DIRECT_PUSH: u8 = 75;
/// The ways to recover a key from a signature.
const RECOVERY_IDS: u8 = 4;
/// First byte of a script that nobody can ever satisfy.
const OP_RETURN: u8 = 0x6a;

/// An input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// What it spends.
    pub outpoint: OutPoint,
    /// Its script.
    pub script: &'a [u8],
    sequence: [u8; 4],
}

/// An output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output<'a> {
    /// Its value, in base units of L1.
    pub value: u64,
    /// Its script.
    pub script: &'a [u8],
}

impl Output<'_> {
    /// Whether somebody may be able to spend it.
    pub fn is_spendable(&self) -> bool {
        self.script.first() != Some(&OP_RETURN)
    }
}

/// A transaction without witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrippedTransaction<'a> {
    version: [u8; 4],
    /// Its inputs, at least one.
    pub inputs: Vec<Input<'a>>,
    /// Its outputs, at least one.
    pub outputs: Vec<Output<'a>>,
    lock_time: [u8; 4],
}

impl<'a> StrippedTransaction<'a> {
    /// Reads all of `raw`; `None` if that is no transaction, or has witnesses.
    pub fn read(raw: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(raw);
        let version = reader.array()?;
        // BIP 144 announces witnesses by a count of zero.
        let count = reader.count(MIN_INPUT).filter(|count| *count > 0)?;
        let mut inputs = Vec::with_capacity(count);
        for _ in 0..count {
            let txid = L1Hash(reader.array()?);
            let vout = u32::from_le_bytes(reader.array()?);
            let script = reader.bytes()?;
            let sequence = reader.array()?;
            inputs.push(Input { outpoint: OutPoint { txid, vout }, script, sequence });
        }
        let count = reader.count(MIN_OUTPUT).filter(|count| *count > 0)?;
        let mut outputs = Vec::with_capacity(count);
        for _ in 0..count {
            let value = u64::from_le_bytes(reader.array()?);
            outputs.push(Output { value, script: reader.bytes()? });
        }
        let lock_time = reader.array()?;
        reader.0.is_empty().then_some(Self { version, inputs, outputs, lock_time })
    }

    /// Whether it makes coins instead of spending some.
    pub fn is_coinbase(&self) -> bool {
        self.inputs.iter().any(|input| input.outpoint == NULL)
    }

    /// The legacy digest of an input that spends an output with this script; `None` if
    /// there is no such input. Cascoin's fork flag changes nothing but the hash type in
    /// it, and no amount is needed (spec: cascoin-l1.md 1.4).
    pub fn legacy_digest(&self, index: usize, script: &[u8], hash_type: u8) -> Option<[u8; 32]> {
        self.inputs.get(index)?;
        let mut data = self.with_script(Some((index, script)));
        data.extend_from_slice(&u32::from(hash_type).to_le_bytes());
        Some(L1Hash::of(&data).0)
    }

    /// What the transaction would be called without the scripts of its inputs. Signatures
    /// over all inputs and outputs commit to it, so that it is the same however strangers
    /// rewrite the scripts, which changes the identifier.
    pub fn unsigned_txid(&self) -> L1Hash {
        L1Hash::of(&self.with_script(None))
    }

    // As it is written down, with one script in place of those of its inputs, or none.
    fn with_script(&self, kept: Option<(usize, &[u8])>) -> Vec<u8> {
        let mut data = self.version.to_vec();
        push_length(&mut data, self.inputs.len());
        for (position, input) in self.inputs.iter().enumerate() {
            data.extend_from_slice(&input.outpoint.txid.0);
            data.extend_from_slice(&input.outpoint.vout.to_le_bytes());
            let script = match kept {
                Some((index, script)) if index == position => script,
                _ => &[],
            };
            push_length(&mut data, script.len());
            data.extend_from_slice(script);
            data.extend_from_slice(&input.sequence);
        }
        push_length(&mut data, self.outputs.len());
        for output in &self.outputs {
            data.extend_from_slice(&output.value.to_le_bytes());
            push_length(&mut data, output.script.len());
            data.extend_from_slice(output.script);
        }
        data.extend_from_slice(&self.lock_time);
        data
    }

    /// The key and the signature of an input that spends a public-key hash: its script is
    /// one signature over the whole transaction and one compressed key, and nothing else.
    /// `None` for any other input. Whether the signature is the key's is for
    /// [`KeySpend::is_signed`] to say.
    pub fn key_spend(&self, index: usize) -> Option<KeySpend> {
        let (signature, rest) = push(self.inputs.get(index)?.script)?;
        let (key, rest) = push(rest)?;
        let key: [u8; 33] = key.try_into().ok()?;
        if !rest.is_empty() || !matches!(key[0], 2 | 3) {
            return None;
        }
        let (hash_type, der) = signature.split_last()?;
        if !COMMITS_TO_ALL.contains(hash_type) {
            return None;
        }
        let spent = L1Address::PublicKeyHash(key_hash(&key)).script();
        let digest = self.legacy_digest(index, &spent, *hash_type)?;
        let key = ecdsa::Public::from_raw(key);
        Some(KeySpend { key, signature: compact(der)?, digest })
    }
}

/// An input as one key signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpend {
    /// The compressed key.
    pub key: ecdsa::Public,
    /// `r ‖ s`.
    pub signature: [u8; 64],
    /// What is signed.
    pub digest: [u8; 32],
}

impl KeySpend {
    /// HASH160 of the key: its address.
    pub fn address(&self) -> H160 {
        H160(key_hash(&self.key.0))
    }

    /// Whether the key signed it. `recover` gives the compressed key of a signature
    /// (`r ‖ s ‖ recovery id`) over a digest, if it has one.
    pub fn is_signed(&self, recover: impl Fn(&[u8; 65], &[u8; 32]) -> Option<[u8; 33]>) -> bool {
        let mut signature = [0; 65];
        let (body, _) = signature.split_at_mut(64);
        body.copy_from_slice(&self.signature);
        // L1's signatures do not say which of four keys theirs is. Either form of s is
        // taken, as consensus does.
        (0..RECOVERY_IDS).any(|id| {
            signature[64] = id;
            recover(&signature, &self.digest) == Some(self.key.0)
        })
    }
}

/// What a direct push pushes, and what is behind it.
fn push(script: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = script.split_first()?;
    if !(1..=MAX_DIRECT_PUSH).contains(length) {
        return None;
    }
    let length = usize::from(*length);
    Some((rest.get(..length)?, rest.get(length..)?))
}

/// `r ‖ s` of a signature in the one form that consensus takes (BIP 66).
fn compact(der: &[u8]) -> Option<[u8; 64]> {
    let [0x30, length, rest @ ..] = der else { return None };
    if usize::from(*length) != rest.len() {
        return None;
    }
    let (r, rest) = integer(rest)?;
    let (s, rest) = integer(rest)?;
    if !rest.is_empty() {
        return None;
    }
    let mut signature = [0; 64];
    let (left, right) = signature.split_at_mut(32);
    left.copy_from_slice(&r);
    right.copy_from_slice(&s);
    Some(signature)
}

/// A positive number of at most 32 bytes, and what is behind it.
fn integer(bytes: &[u8]) -> Option<([u8; 32], &[u8])> {
    let [0x02, length, rest @ ..] = bytes else { return None };
    let length = usize::from(*length);
    let (number, rest) = (rest.get(..length)?, rest.get(length..)?);
    let digits = match number {
        // A zero in front only where the number would be negative without it.
        [0, digits @ ..] => digits.first().is_some_and(|first| *first >= 0x80).then_some(digits)?,
        [first, ..] if *first < 0x80 => number,
        _ => return None,
    };
    let mut padded = [0; 32];
    padded.get_mut(32usize.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    Some((padded, rest))
}

/// Appends a length in Bitcoin's variable form.
fn push_length(data: &mut Vec<u8>, length: usize) {
    if let Some(short) = u8::try_from(length).ok().filter(|short| *short < 0xfd) {
        data.push(short);
    } else if let Ok(medium) = u16::try_from(length) {
        data.push(0xfd);
        data.extend_from_slice(&medium.to_le_bytes());
    } else {
        // A transaction is shorter than this can count.
        data.push(0xfe);
        data.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }
}

/// Reads from the front of what is left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.0.get(..length)?;
        self.0 = self.0.get(length..)?;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// A length in its shortest form.
    fn length(&mut self) -> Option<usize> {
        let [first] = self.array()?;
        let (length, least): (u64, u64) = match first {
            0xfd => (u16::from_le_bytes(self.array()?).into(), 0xfd),
            0xfe => (u32::from_le_bytes(self.array()?).into(), 0x1_0000),
            // More than any transaction has.
            0xff => return None,
            short => (short.into(), 0),
        };
        usize::try_from(length).ok().filter(|_| length >= least)
    }

    /// How many items of at least `min_size` bytes follow.
    fn count(&mut self, min_size: usize) -> Option<usize> {
        let count = self.length()?;
        (count.checked_mul(min_size)? <= self.0.len()).then_some(count)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }
}
