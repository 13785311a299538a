//! The book of evidence, on disk and shared by all who find, report or show it.

use super::book::{Book, Conflict, DoubleSign, Standing};
use cascoin_l2_primitives::{chain::BlockNumber, consensus::DoubleSignEvidence};
use codec::{Decode, Encode};
use parking_lot::Mutex;
use sc_client_api::AuxStore;
use sp_core::H256;
use std::sync::Arc;
use substrate_prometheus_endpoint::{register, Gauge, PrometheusError, Registry, U64};
use tokio::sync::Notify;

const DOUBLE_SIGNS: &[u8] = b"cascoin-l2/evidence/double-signs/1";
const CONFLICTS: &[u8] = b"cascoin-l2/evidence/conflicts/1";

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sp_blockchain::Error),
    /// What is stored cannot be read.
    #[error("stored evidence is damaged: {0}")]
    Damaged(#[from] codec::Error),
    /// A metric could not be made.
    #[error("metrics: {0}")]
    Metrics(#[from] PrometheusError),
}

/// Where the book lies: the node's database, whatever its type.
trait Shelf: Send + Sync {
    fn put(&self, key: &[u8], value: &[u8]) -> sp_blockchain::Result<()>;
}

impl<S: AuxStore + Send + Sync> Shelf for Arc<S> {
    fn put(&self, key: &[u8], value: &[u8]) -> sp_blockchain::Result<()> {
        self.insert_aux(&[(key, value)], &[])
    }
}

/// The evidence of one node. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct EvidenceStore(Arc<Inner>);

struct Inner {
    shelf: Box<dyn Shelf>,
    book: Mutex<Open>,
    news: Notify,
    conflicts: Gauge<U64>,
    pending: Gauge<U64>,
}

struct Open {
    book: Book,
    /// What is on disk is older.
    unsaved: bool,
}

impl EvidenceStore {
    /// Opens what `database` holds.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn open<S: AuxStore + Send + Sync + 'static>(
        database: Arc<S>,
    ) -> Result<Self, EvidenceError> {
        let book = Book::new(read(&*database, DOUBLE_SIGNS)?, read(&*database, CONFLICTS)?);
        let inner = Inner {
            shelf: Box::new(database),
            book: Mutex::new(Open { book, unsaved: false }),
            news: Notify::new(),
            conflicts: Gauge::new(
                "cascoin_l2_conflicting_certificates",
                "Heights of which two certificates are known",
            )?,
            pending: Gauge::new(
                "cascoin_l2_evidence_pending",
                "Double signs that are not on chain yet",
            )?,
        };
        inner.measure(&inner.book.lock().book);
        Ok(Self(Arc::new(inner)))
    }

    /// Registers its metrics.
    ///
    /// # Errors
    /// When a name is taken already.
    pub fn register(&self, registry: Option<&Registry>) -> Result<(), PrometheusError> {
        if let Some(registry) = registry {
            register(self.0.conflicts.clone(), registry)?;
            register(self.0.pending.clone(), registry)?;
        }
        Ok(())
    }

    /// Keeps proof of a double sign, whose signatures were checked. `false`: there is
    /// enough against this sequencer already.
    pub fn add_double_sign(&self, evidence: DoubleSignEvidence) -> bool {
        let added = self.change(|book| book.add_double_sign(evidence));
        if added {
            log::error!(
                target: "l2::bft",
                "SEQ_DOUBLE_SIGN: key 0x{} signed two {}s at height {} round {} of set {}: the \
                 proof is kept and will be reported ({:?})",
                hex::encode(evidence.key.0), evidence.kind(), evidence.height, evidence.round,
                evidence.set_id, evidence.id(),
            );
            self.0.news.notify_one();
        }
        added
    }

    /// Keeps two certificates of a height, both of which were checked. `false`:
    /// the height has two already, or there are enough heights.
    pub fn add_conflict(&self, conflict: Conflict) -> bool {
        self.change(|book| book.add_conflict(conflict))
    }

    /// Whether two certificates of a height are kept.
    pub fn has_conflict(&self, height: BlockNumber) -> bool {
        self.0.book.lock().book.has_conflict(height)
    }

    /// Notes how far an offence is.
    pub fn settle(&self, id: H256, standing: Standing) {
        self.change(|book| book.settle(id, standing));
    }

    /// All double signs, oldest first.
    pub fn double_signs(&self) -> Vec<DoubleSign> {
        self.0.book.lock().book.double_signs().clone()
    }

    /// Those that the chain does not know of yet.
    pub fn pending(&self) -> Vec<DoubleSignEvidence> {
        self.0.book.lock().book.pending().copied().collect()
    }

    /// All heights with two certificates, in the order they were found.
    pub fn conflicts(&self) -> Vec<Conflict> {
        self.0.book.lock().book.conflicts().clone()
    }

    /// Waits until there is a new double sign. Those that came while nobody waited
    /// count. For one who waits.
    pub(super) async fn news(&self) {
        self.0.news.notified().await;
    }

    /// Writes what a full disk kept from being written.
    pub(super) fn save_again(&self) {
        let mut open = self.0.book.lock();
        if open.unsaved {
            self.0.save(&mut open);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Book) -> bool) -> bool {
        let mut open = self.0.book.lock();
        let changed = change(&mut open.book);
        if changed {
            self.0.save(&mut open);
            self.0.measure(&open.book);
        }
        changed
    }
}

impl Inner {
    /// Writes all of it: it is little, and changes seldom.
    fn save(&self, open: &mut Open) {
        let saved = self
            .shelf
            .put(DOUBLE_SIGNS, &open.book.double_signs().encode())
            .and_then(|()| self.shelf.put(CONFLICTS, &open.book.conflicts().encode()));
        open.unsaved = saved.is_err();
        if let Err(error) = saved {
            log::error!(target: "l2::bft", "evidence is kept in memory only: {error}");
        }
    }

    fn measure(&self, book: &Book) {
        self.conflicts.set(book.conflicts().len() as u64);
        self.pending.set(book.pending().count() as u64);
    }
}

fn read<T: Decode>(database: &impl AuxStore, key: &[u8]) -> Result<Vec<T>, EvidenceError> {
    match database.get_aux(key)? {
        Some(bytes) => Ok(Vec::decode(&mut &bytes[..])?),
        None => Ok(Vec::new()),
    }
}
