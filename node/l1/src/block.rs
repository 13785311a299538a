//! A strict reader of raw L1 blocks and transactions.
//!
//! It assumes nothing of its input: counts are checked against the bytes that
//! are left before anything is done with them, lengths must be written in their
//! shortest form, and no byte may be left over. A [`Block`] exists only if its
//! header has the hash that was asked for, its Merkle root is that of its
//! transactions, and its witnesses are those that its coinbase commits to (BIP 141,
//! in force from the first block on every L1 of
//! [`params`](cascoin_l2_primitives::l1::params)). So an answer can neither invent nor
//! hide an event in a block whose hash is known. Whether that hash stands for a valid
//! block is the L1 node's business.
//!
//! Transactions come in the forms of Bitcoin and BIP 144, which a node gives under
//! `-rpcserialversion=1`; the errors say so. Under 0 it leaves witnesses out. Under more,
//! Litecoin adds its extension blocks (MWEB). Nothing of what is checked here covers
//! these: a transaction's identifiers, with witnesses and without, leave them out
//! (`SERIALIZE_NO_MWEB` in Litecoin Core's `primitives/transaction.cpp`), and the one that
//! moves coins out of the extension (HogEx) stands in both trees like any other.

use cascoin_l2_primitives::l1::{L1Hash, OutPoint};
use sha2::{Digest, Sha256};
use std::ops::Range;
use thiserror::Error;

/// Bytes of a header.
pub const HEADER_LEN: usize = 80;
/// Most bytes of a block: `MAX_BLOCK_SERIALIZED_SIZE` of every Core.
pub const MAX_BLOCK_BYTES: usize = 4_000_000;
/// Fewest bytes of an input: outpoint, empty script, sequence.
const MIN_INPUT: usize = 36 + 1 + 4;
/// Fewest bytes of an output: value, empty script.
const MIN_OUTPUT: usize = 8 + 1;
/// Fewest bytes of a transaction: version, one input, one output, lock time.
const MIN_TRANSACTION: usize = 4 + 1 + MIN_INPUT + 1 + MIN_OUTPUT + 4;
/// How the script of a coinbase output begins that commits to all witnesses (BIP 141):
/// `OP_RETURN`, a push of 36 bytes, and four of them. The commitment follows.
const COMMITMENT: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// Why bytes are not the block or transaction they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BlockError {
    /// They end too early, or a count promises more than is left.
    #[error("truncated")]
    Truncated,
    /// Bytes are left over after the end.
    #[error("{0} bytes too many")]
    TrailingBytes(usize),
    /// More bytes than any block has.
    #[error("larger than any block")]
    TooLarge,
    /// A length is not written in its shortest form.
    #[error("a length is not in its shortest form")]
    LongLength,
    /// A transaction's extension flag is not that of BIP 144.
    #[error(
        "transaction flag {0:#04x} is not supported (Litecoin with MWEB: start the node with \
         -rpcserialversion=1)"
    )]
    UnknownFlag(u8),
    /// A transaction is flagged to have witnesses, and has none.
    #[error("witness flag without a witness")]
    EmptyWitness,
    /// An output's value is negative.
    #[error("negative value")]
    NegativeValue,
    /// The header has another hash than the one asked for.
    #[error("another block than asked for: {found}")]
    WrongHash {
        /// The hash it has.
        found: L1Hash,
    },
    /// The transactions are not the ones the header commits to.
    #[error("the transactions do not match the Merkle root")]
    WrongMerkleRoot,
    /// The first transaction is no coinbase, or another one is.
    #[error("the coinbase is not the first transaction alone")]
    MisplacedCoinbase,
    /// The coinbase commits to witnesses, and not even its own is there.
    #[error(
        "the block comes without its witnesses (start the L1 node with -rpcserialversion=1, not 0)"
    )]
    MissingWitnesses,
    /// The coinbase's witness (BIP 141's reserved value) has another form.
    #[error("the coinbase's witness is not one item of 32 bytes")]
    MalformedReservedValue,
    /// The witnesses are not the ones the coinbase commits to.
    #[error("the witnesses do not match the coinbase's commitment")]
    WrongWitnesses,
    /// There are witnesses, and the coinbase commits to none.
    #[error("witnesses that the coinbase does not commit to")]
    UncommittedWitnesses,
}

/// What our code needs of a block's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Double SHA-256 of the 80 bytes, on every L1 and for every proof of work.
    pub hash: L1Hash,
    /// The block below.
    pub previous: L1Hash,
    /// Root over the transactions' identifiers.
    pub merkle_root: L1Hash,
    /// Seconds since 1970.
    pub time: u32,
}

impl Header {
    /// Reads the 80 bytes and checks their hash.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn read(raw: &[u8], asked: &L1Hash) -> Result<Self, BlockError> {
        let mut reader = Reader::new(raw);
        let header = Self::parse(&mut reader)?;
        reader.finish()?;
        header.expect(asked)
    }

    fn parse(reader: &mut Reader) -> Result<Self, BlockError> {
        let bytes = reader.array::<HEADER_LEN>()?;
        let mut fields = Reader::new(&bytes);
        fields.skip(4)?;
        let (previous, merkle_root) = (fields.hash()?, fields.hash()?);
        let time = u32::from_le_bytes(fields.array()?);
        Ok(Self { hash: L1Hash::of(&bytes), previous, merkle_root, time })
    }

    fn expect(self, asked: &L1Hash) -> Result<Self, BlockError> {
        if self.hash == *asked {
            return Ok(self);
        }
        Err(BlockError::WrongHash { found: self.hash })
    }
}

/// A transaction's parts, as ranges of the bytes it was read from.
#[derive(Clone, Debug)]
struct Layout {
    range: Range<usize>,
    txid: L1Hash,
    first_input: Option<OutPoint>,
    inputs: usize,
    outputs: Vec<(u64, Range<usize>)>,
    has_witness: bool,
    /// The item of the first input's witness, where it has one alone.
    lone_item: Option<Range<usize>>,
}

impl Layout {
    fn is_coinbase(&self) -> bool {
        const NULL: OutPoint = OutPoint { txid: L1Hash([0; 32]), vout: u32::MAX };
        self.inputs == 1 && self.first_input == Some(NULL)
    }

    /// Reads one transaction and hashes it without its witnesses.
    fn parse(reader: &mut Reader) -> Result<Self, BlockError> {
        let start = reader.position;
        reader.skip(4)?;
        let mut hasher = Sha256::new();
        hasher.update(reader.since(start));
        // BIP 144: where the input count stands, 00 and a flag announce witnesses.
        let has_witness = reader.peek(0) == Some(0);
        if has_witness {
            reader.skip(1)?;
            match reader.array::<1>()?[0] {
                1 => {}
                flag => return Err(BlockError::UnknownFlag(flag)),
            }
        }

        let body = reader.position;
        let inputs = reader.count(MIN_INPUT)?;
        let mut first_input = None;
        for index in 0..inputs {
            let outpoint =
                OutPoint { txid: reader.hash()?, vout: u32::from_le_bytes(reader.array()?) };
            if index == 0 {
                first_input = Some(outpoint);
            }
            reader.bytes()?;
            reader.skip(4)?;
        }
        let count = reader.count(MIN_OUTPUT)?;
        // `count` fits in what is left of a bounded input, so this is bounded.
        let mut outputs = Vec::with_capacity(count);
        for _ in 0..count {
            let value = i64::from_le_bytes(reader.array()?);
            let value = u64::try_from(value).map_err(|_| BlockError::NegativeValue)?;
            outputs.push((value, reader.bytes()?));
        }
        hasher.update(reader.since(body));

        let mut lone_item = None;
        if has_witness {
            let mut items = 0;
            for index in 0..inputs {
                let count = reader.count(1)?;
                items += count;
                for _ in 0..count {
                    let item = reader.bytes()?;
                    if (index, count) == (0, 1) {
                        lone_item = Some(item);
                    }
                }
            }
            if items == 0 {
                return Err(BlockError::EmptyWitness);
            }
        }
        let lock_time = reader.position;
        reader.skip(4)?;
        hasher.update(reader.since(lock_time));
        let txid = L1Hash(Sha256::digest(hasher.finalize()).into());
        let range = start..reader.position;
        Ok(Self { range, txid, first_input, inputs, outputs, has_witness, lone_item })
    }

    /// The identifier that covers witnesses: of its bytes, which have one form only.
    fn wtxid(&self, raw: &[u8]) -> L1Hash {
        match self.has_witness {
            true => L1Hash::of(&raw[self.range.clone()]),
            false => self.txid,
        }
    }

    fn outputs<'a>(&'a self, raw: &'a [u8]) -> impl Iterator<Item = Output<'a>> + use<'a> {
        self.outputs
            .iter()
            // The ranges were made from these very bytes.
            .map(|(value, range)| Output { value: *value, script: &raw[range.clone()] })
    }
}

/// One output of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output<'a> {
    /// Its value, in base units.
    pub value: u64,
    /// Its script.
    pub script: &'a [u8],
}

/// A single transaction, signed or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction<'a> {
    /// Its identifier: the hash without witnesses.
    pub txid: L1Hash,
    /// Number of its inputs.
    pub inputs: usize,
    /// What its first input spends.
    pub first_spent: Option<OutPoint>,
    /// Its outputs, in order.
    pub outputs: Vec<Output<'a>>,
}

impl<'a> Transaction<'a> {
    /// Reads a whole transaction. One without inputs cannot be told from BIP 144's
    /// form and is refused.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn read(raw: &'a [u8]) -> Result<Self, BlockError> {
        if raw.len() > MAX_BLOCK_BYTES {
            return Err(BlockError::TooLarge);
        }
        let mut reader = Reader::new(raw);
        let layout = Layout::parse(&mut reader)?;
        reader.finish()?;
        let outputs = layout
            .outputs
            .iter()
            .map(|(value, range)| Output { value: *value, script: &raw[range.clone()] })
            .collect();
        let Layout { txid, inputs, first_input: first_spent, .. } = layout;
        Ok(Self { txid, inputs, first_spent, outputs })
    }
}

/// A block that is proven to be the one asked for.
#[derive(Clone, Debug)]
pub struct Block {
    header: Header,
    raw: Vec<u8>,
    transactions: Vec<Layout>,
}

impl Block {
    /// Reads a whole block and checks it against the hash that was asked for.
    ///
    /// The coinbase must be the first transaction and the only one of its kind.
    /// Besides being L1's rule, this keeps inner nodes of the Merkle tree, which
    /// have the 64 bytes of a short transaction, from being passed off as
    /// transactions: the leftmost would need 32 zero bytes of hash.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn read(raw: Vec<u8>, asked: &L1Hash) -> Result<Self, BlockError> {
        if raw.len() > MAX_BLOCK_BYTES {
            return Err(BlockError::TooLarge);
        }
        let mut reader = Reader::new(&raw);
        // First the hash: bytes of another block are not worth reading.
        let header = Header::parse(&mut reader)?.expect(asked)?;
        let count = reader.count(MIN_TRANSACTION)?;
        let mut transactions = Vec::with_capacity(count);
        for _ in 0..count {
            transactions.push(Layout::parse(&mut reader)?);
        }
        reader.finish()?;
        let txids = transactions.iter().map(|transaction| transaction.txid).collect();
        if merkle_root(txids) != Some(header.merkle_root) {
            return Err(BlockError::WrongMerkleRoot);
        }
        let coinbase_alone =
            transactions.iter().enumerate().all(|(i, t)| t.is_coinbase() == (i == 0));
        if !coinbase_alone {
            return Err(BlockError::MisplacedCoinbase);
        }
        check_witnesses(&raw, &transactions)?;
        Ok(Self { header, raw, transactions })
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Number of its transactions.
    pub fn transaction_count(&self) -> usize {
        self.transactions.len()
    }

    /// All outputs with their outpoints, in order of transactions and outputs.
    pub fn outputs(&self) -> impl Iterator<Item = (OutPoint, Output<'_>)> {
        self.transactions().flat_map(|transaction| transaction.outputs())
    }

    /// Its transactions, in order; the coinbase first.
    pub fn transactions(&self) -> impl Iterator<Item = BlockTransaction<'_>> {
        self.transactions.iter().map(|layout| BlockTransaction { layout, raw: &self.raw })
    }
}

/// A transaction of a [`Block`].
#[derive(Clone, Copy, Debug)]
pub struct BlockTransaction<'a> {
    layout: &'a Layout,
    raw: &'a [u8],
}

impl<'a> BlockTransaction<'a> {
    /// Whether it makes coins instead of spending some.
    pub fn is_coinbase(&self) -> bool {
        self.layout.is_coinbase()
    }

    /// What its first input spends; of a coinbase nothing that exists.
    pub fn first_spent(&self) -> Option<OutPoint> {
        self.layout.first_input
    }

    /// Its bytes, with witnesses.
    pub fn raw(&self) -> &'a [u8] {
        // The range was made from these very bytes.
        &self.raw[self.layout.range.clone()]
    }

    /// Its outputs with their outpoints, in order.
    pub fn outputs(&self) -> impl Iterator<Item = (OutPoint, Output<'a>)> + use<'a> {
        let txid = self.layout.txid;
        (0u32..)
            .zip(self.layout.outputs(self.raw))
            .map(move |(vout, output)| (OutPoint { txid, vout }, output))
    }
}

/// Whether the witnesses are those that the coinbase commits to (BIP 141). One that
/// commits to them has a witness itself, whatever the others have.
fn check_witnesses(raw: &[u8], transactions: &[Layout]) -> Result<(), BlockError> {
    let Some((coinbase, others)) = transactions.split_first() else { return Ok(()) };
    // Of several the last one holds.
    let Some(commitment) =
        coinbase.outputs(raw).filter_map(|output| committed(output.script)).last()
    else {
        return match transactions.iter().any(|transaction| transaction.has_witness) {
            true => Err(BlockError::UncommittedWitnesses),
            false => Ok(()),
        };
    };
    if !coinbase.has_witness {
        return Err(BlockError::MissingWitnesses);
    }
    let reserved = coinbase.lone_item.clone().map(|item| &raw[item]);
    let reserved =
        reserved.filter(|item| item.len() == 32).ok_or(BlockError::MalformedReservedValue)?;
    // The coinbase's own place is left empty: it cannot cover itself.
    let own = std::iter::once(L1Hash::default());
    let wtxids = own.chain(others.iter().map(|transaction| transaction.wtxid(raw))).collect();
    let root = merkle_root(wtxids).ok_or(BlockError::WrongWitnesses)?;
    match L1Hash::of(&[&root.0[..], reserved].concat()).0 == *commitment {
        true => Ok(()),
        false => Err(BlockError::WrongWitnesses),
    }
}

/// What an output's script commits to, if it has that form; what follows it is free.
fn committed(script: &[u8]) -> Option<&[u8; 32]> {
    script.strip_prefix(&COMMITMENT)?.first_chunk()
}

/// The root over identifiers as L1 computes it: an odd level repeats its last
/// node. `None` for no identifiers, and where two equal neighbours show that the
/// list was lengthened by repetition (CVE-2012-2459): such a list has the root of
/// a shorter one.
fn merkle_root(mut level: Vec<L1Hash>) -> Option<L1Hash> {
    while level.len() > 1 {
        let mut next = Vec::with_capacity(level.len().div_ceil(2));
        for pair in level.chunks(2) {
            let (left, right) = match pair {
                [left, right] if left == right => return None,
                [left, right] => (left, right),
                odd => (&odd[0], &odd[0]),
            };
            let mut node = [0; 64];
            node[..32].copy_from_slice(&left.0);
            node[32..].copy_from_slice(&right.0);
            next.push(L1Hash::of(&node));
        }
        level = next;
    }
    level.first().copied()
}

/// Reads bytes from front to back, never beyond the end.
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn left(&self) -> usize {
        // `position` only moves within the bytes.
        self.bytes.len() - self.position
    }

    fn peek(&self, offset: usize) -> Option<u8> {
        self.bytes.get(self.position.checked_add(offset)?).copied()
    }

    fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.position]
    }

    fn skip(&mut self, length: usize) -> Result<Range<usize>, BlockError> {
        if length > self.left() {
            return Err(BlockError::Truncated);
        }
        let start = self.position;
        self.position += length;
        Ok(start..self.position)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        let range = self.skip(N)?;
        self.bytes[range].try_into().map_err(|_| BlockError::Truncated)
    }

    fn hash(&mut self) -> Result<L1Hash, BlockError> {
        self.array().map(L1Hash)
    }

    /// A length in Bitcoin's variable form.
    fn length(&mut self) -> Result<u64, BlockError> {
        let (value, least) = match self.array::<1>()?[0] {
            0xfd => (u64::from(u16::from_le_bytes(self.array()?)), 0xfd),
            0xfe => (u64::from(u32::from_le_bytes(self.array()?)), 0x1_0000),
            0xff => (u64::from_le_bytes(self.array()?), 0x1_0000_0000),
            small => return Ok(small.into()),
        };
        if value < least {
            return Err(BlockError::LongLength);
        }
        Ok(value)
    }

    /// A number of items of at least `min_size` bytes each, as many as can fit.
    fn count(&mut self, min_size: usize) -> Result<usize, BlockError> {
        let count = self.length()?;
        let possible = (self.left() / min_size) as u64;
        if count > possible {
            return Err(BlockError::Truncated);
        }
        // At most `left`, which is a `usize`.
        Ok(count as usize)
    }

    /// The range of a byte string with its length in front.
    fn bytes(&mut self) -> Result<Range<usize>, BlockError> {
        let length = self.count(1)?;
        self.skip(length)
    }

    fn finish(self) -> Result<(), BlockError> {
        match self.left() {
            0 => Ok(()),
            left => Err(BlockError::TrailingBytes(left)),
        }
    }
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;

/// Writes blocks and transactions for the tests of this crate.
#[cfg(test)]
pub(crate) mod builder {
    use super::*;

    fn length(value: usize) -> Vec<u8> {
        match value {
            0..=0xfc => vec![value as u8],
            0xfd..=0xffff => [&[0xfd][..], &(value as u16).to_le_bytes()].concat(),
            _ => [&[0xfe][..], &(value as u32).to_le_bytes()].concat(),
        }
    }

    fn with_input(outpoint: [u8; 36], script: &[u8], outputs: &[(u64, Vec<u8>)]) -> Vec<u8> {
        let mut raw = vec![2, 0, 0, 0, 1];
        raw.extend(outpoint);
        raw.extend(length(script.len()));
        raw.extend(script);
        raw.extend([0xff; 4]);
        raw.extend(length(outputs.len()));
        for (value, script) in outputs {
            raw.extend(value.to_le_bytes());
            raw.extend(length(script.len()));
            raw.extend(script);
        }
        raw.extend([0; 4]);
        raw
    }

    /// A transaction that spends output 0 of the transaction `seed` × 32.
    pub fn transaction(seed: u8, outputs: &[(u64, Vec<u8>)]) -> Vec<u8> {
        let mut outpoint = [seed; 36];
        outpoint[32..].fill(0);
        with_input(outpoint, &[], outputs)
    }

    /// The plain form of a one-input transaction in BIP 144's form.
    pub fn add_witness(plain: &[u8], items: &[&[u8]]) -> Vec<u8> {
        let (body, lock_time) = plain.split_at(plain.len() - 4);
        let mut raw = [&body[..4], &[0, 1], &body[4..]].concat();
        raw.extend(length(items.len()));
        for item in items {
            raw.extend(length(item.len()));
            raw.extend(*item);
        }
        raw.extend(lock_time);
        raw
    }

    pub fn coinbase_with(script: &[u8]) -> Vec<u8> {
        coinbase_paying(script, &[(50, vec![0x51])])
    }

    pub fn coinbase_paying(script: &[u8], outputs: &[(u64, Vec<u8>)]) -> Vec<u8> {
        let mut outpoint = [0; 36];
        outpoint[32..].fill(0xff);
        with_input(outpoint, script, outputs)
    }

    pub fn coinbase() -> Vec<u8> {
        coinbase_with(b"cb")
    }

    pub fn with_coinbase(transactions: &[Vec<u8>]) -> Vec<Vec<u8>> {
        [vec![coinbase()], transactions.to_vec()].concat()
    }

    /// The coinbase's witness where it commits to others.
    pub const RESERVED_VALUE: [u8; 32] = [7; 32];

    /// A script that commits to the witnesses of `transactions` behind a coinbase.
    pub fn commitment(transactions: &[Vec<u8>]) -> Vec<u8> {
        // With or without witnesses: the whole bytes are hashed.
        let wtxids = transactions.iter().map(|raw| L1Hash::of(raw));
        let wtxids = std::iter::once(L1Hash::default()).chain(wtxids).collect();
        let root = merkle_root(wtxids).expect("distinct transactions");
        [&COMMITMENT[..], &L1Hash::of(&[root.0, RESERVED_VALUE].concat()).0].concat()
    }

    /// A coinbase that commits to the witnesses of `transactions`, without its own.
    pub fn committing_coinbase(transactions: &[Vec<u8>]) -> Vec<u8> {
        coinbase_paying(b"cb", &[(50, vec![0x51]), (0, commitment(transactions))])
    }

    /// `transactions` behind a coinbase as L1's miners make it.
    pub fn with_commitment(transactions: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let coinbase = add_witness(&committing_coinbase(transactions), &[&RESERVED_VALUE]);
        [vec![coinbase], transactions.to_vec()].concat()
    }

    /// A block over `previous` with a header that fits.
    pub fn raw_block_on(previous: L1Hash, time: u32, transactions: &[Vec<u8>]) -> Vec<u8> {
        let txids: Vec<_> = transactions
            .iter()
            .map(|raw| Transaction::read(raw).expect("built right").txid)
            .collect();
        let root = merkle_root(txids).expect("distinct transactions");
        let mut raw = vec![1, 0, 0, 0];
        raw.extend(previous.0);
        raw.extend(root.0);
        raw.extend(time.to_le_bytes());
        raw.extend([0; 8]);
        raw.extend(length(transactions.len()));
        raw.extend(transactions.concat());
        raw
    }

    pub fn raw_block(transactions: &[Vec<u8>]) -> Vec<u8> {
        raw_block_on(L1Hash([3; 32]), 77, transactions)
    }

    /// A checked block with a coinbase before `transactions`.
    pub fn block(transactions: &[Vec<u8>]) -> Block {
        let raw = raw_block(&with_commitment(transactions));
        let hash = L1Hash::of(&raw[..HEADER_LEN]);
        Block::read(raw, &hash).expect("built right")
    }

    use bitcoin::{
        consensus::serialize,
        secp256k1::{Message, Secp256k1, SecretKey},
        Script, ScriptBuf, Witness,
    };
    use cascoin_l2_primitives::l1::{
        address::L1Address,
        cvm::{bond_script, TrustKind, TrustPayload, BOND_BLOCKS},
        signed_message::key_hash,
    };

    /// Where the transactions of [`trust`] can stand.
    pub const TRUST_HEIGHT: u32 = 5_000;

    /// A transaction that says how far somebody is trusted.
    #[derive(Clone)]
    pub struct Trust {
        pub seed: u8,
        pub key: SecretKey,
        pub payload: TrustPayload,
        /// Value and script of the bond's output.
        pub value: u64,
        pub bond: Vec<u8>,
        /// A script of an output before the bond, where the payload follows it.
        pub before: Option<Vec<u8>>,
        /// A script of an output behind them.
        pub burn: Option<Vec<u8>>,
    }

    /// How an input is signed.
    #[derive(Clone, Copy, Debug)]
    pub enum Form {
        Legacy,
        Nested,
        Native,
    }

    pub fn signer() -> SecretKey {
        SecretKey::from_slice(&[0x11; 32]).expect("in range")
    }

    /// As L1's wallet makes it, with a bond of `bond` units that is locked for a key which
    /// signs nothing.
    pub fn trust(seed: u8, bond: u64, key: &SecretKey) -> Trust {
        let from = [0xaa; 20];
        let payload = TrustPayload {
            kind: TrustKind::Edge,
            from,
            to: [0xbb; 20],
            weight: 50,
            bond,
            timestamp: 9,
        };
        let bond_script = bond_script(&from, TRUST_HEIGHT - 1 + BOND_BLOCKS);
        Trust { seed, key: *key, payload, value: bond, bond: bond_script, before: None, burn: None }
    }

    impl Trust {
        pub fn unsigned(&self) -> Vec<u8> {
            let said = (0, self.payload.script());
            let bond = (self.value, self.bond.clone());
            let mut outputs = match &self.before {
                None => vec![said, bond],
                Some(script) => vec![(0, script.clone()), bond, said],
            };
            outputs.extend(self.burn.iter().map(|script| (7, script.clone())));
            transaction(self.seed, &outputs)
        }

        pub fn signed(&self) -> Vec<u8> {
            self.signed_as(Form::Legacy, 1)
        }

        pub fn signed_as(&self, form: Form, hash_type: u8) -> Vec<u8> {
            let public = self.key.public_key(&Secp256k1::new()).serialize();
            match form {
                Form::Legacy => legacy(&self.unsigned(), &self.key, hash_type),
                Form::Nested => nested(&self.unsigned(), &self.key, key_hash(&public), hash_type),
                Form::Native => {
                    add_witness(&self.unsigned(), &[&signature(&self.key, hash_type), &public])
                }
            }
        }
    }

    /// A signature of something: the witness's is L1's business.
    fn signature(key: &SecretKey, hash_type: u8) -> Vec<u8> {
        let signed = Secp256k1::new().sign_ecdsa(&Message::from_digest([9; 32]), key);
        [&signed.serialize_der()[..], &[hash_type]].concat()
    }

    fn legacy(unsigned: &[u8], key: &SecretKey, hash_type: u8) -> Vec<u8> {
        let secp = Secp256k1::new();
        let mut transaction: bitcoin::Transaction =
            bitcoin::consensus::deserialize(unsigned).expect("built right");
        let public = key.public_key(&secp).serialize();
        let spent = L1Address::PublicKeyHash(key_hash(&public)).script();
        let digest = crate::sighash::legacy_digest_of_type(
            &transaction,
            0,
            Script::from_bytes(&spent),
            hash_type,
        )
        .expect("it has an input");
        let signed = secp.sign_ecdsa(&Message::from_digest(digest), key);
        let signature = [&signed.serialize_der()[..], &[hash_type]].concat();
        let script = [&[signature.len() as u8][..], &signature, &[33], &public].concat();
        transaction.input[0].script_sig = ScriptBuf::from(script);
        serialize(&transaction)
    }

    /// The witness of `key` for the program of `hash`.
    pub fn nested(unsigned: &[u8], key: &SecretKey, hash: [u8; 20], hash_type: u8) -> Vec<u8> {
        let mut transaction: bitcoin::Transaction =
            bitcoin::consensus::deserialize(unsigned).expect("built right");
        let program = L1Address::WitnessPublicKeyHash(hash).script();
        let public = key.public_key(&Secp256k1::new()).serialize();
        transaction.input[0].script_sig =
            ScriptBuf::from([&[program.len() as u8][..], &program].concat());
        let witness = [signature(key, hash_type), public.to_vec()];
        transaction.input[0].witness = Witness::from_slice(&witness);
        serialize(&transaction)
    }
}
