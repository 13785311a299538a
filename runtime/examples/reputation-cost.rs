//! What reputation costs: a block, by the number of accounts; a transfer, with its note and
//! without. `scripts/bench reputation` runs it.
//!
//! It runs the runtime natively, over a state trie in memory that holds so many accounts,
//! each with a balance, activity, a score of L1 and a link to an L1 address. Absolute times
//! are this machine's, and a database on a disk is slower to read; what counts are the
//! ratios of times that were measured in the same run. Targets: a transfer gets less than a
//! tenth heavier, in weight and in time, and a block takes less than 20 ms at a million
//! accounts. It asserts nothing: the figures are read by people.

// As a sequencer builds them and as others execute them: the tests' own chain.
#[allow(dead_code, missing_docs, reason = "tests need more of it, and are described by names")]
#[path = "../tests/it/chain.rs"]
mod chain;

use cascoin_l2_primitives::reputation::{
    export::ExportedScore,
    rule::{score, Facts},
    Activity, Score, MS_PER_DAY,
};
use cascoin_l2_runtime::{
    AccountData, AccountId, Balance, Executive, Moment, Nonce, ReputationExport, Runtime,
    RuntimeCall, RuntimeOrigin, System, TxExtension,
};
use chain::{extension, timestamp, undone, Chain, START};
use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, traits::Hooks, weights::Weight};
use pallet_reputation::{L1Accounts, L1Addresses, Standing, Standings};
use pallet_reputation_export::{types::Known, Draft, KnownAddresses, MAX_SWEPT};
use sp_core::{sr25519, Pair, H160};
use sp_io::hashing::blake2_256;
use sp_runtime::traits::{DispatchTransaction, TransactionExtension};
use std::time::{Duration, Instant};

/// Transfers of a block, each of another account.
const TRANSFERS: u32 = 200;
/// Accounts with keys: those that transfer with a note, and those that do without.
const SIGNERS: u32 = 2 * TRANSFERS;
/// Accounts without which the hooks would look at some of them twice.
const LEAST: u32 = 2_000;
/// Blocks of each measurement.
const BLOCKS: u32 = 21;
/// Calls of the hooks alone.
const CALLS: u32 = 40;
/// Accounts that are put into the trie at a time.
const CHUNK: u32 = 100_000;
const TODAY: u32 = (START / MS_PER_DAY) as u32;
const COINS: Balance = 1_000_000_000_000;
const VALUE: Balance = 1_000;

fn main() {
    let asked: Result<Vec<u32>, _> = std::env::args().skip(1).map(|text| text.parse()).collect();
    let counts = match asked {
        Ok(counts) if counts.iter().any(|count| *count < LEAST) => {
            eprintln!("reputation-cost: at least {LEAST} accounts are needed");
            std::process::exit(2);
        }
        Ok(counts) if counts.is_empty() => vec![10_000, 100_000, 1_000_000],
        Ok(counts) => counts,
        Err(_) => {
            eprintln!("usage: reputation-cost [ACCOUNTS…]");
            std::process::exit(2);
        }
    };
    let (own, whole) = weights();
    println!("weight of a transfer: {} µs, of which its note is {} µs", whole / MICRO, own / MICRO);
    println!(
        "{:>9} | hooks: nothing due, {MAX_SWEPT} due, batch of 384 | block: empty, {TRANSFERS} transfers | \
         transfer, without its note | note adds | of 20 ms a block",
        "accounts"
    );
    for count in counts {
        println!("{}", measure(count));
    }
    println!(
        "note adds {:.1} % to a transfer's weight (target: below 10 %)",
        share(own, whole - own)
    );
}

/// Picoseconds.
const MICRO: u64 = 1_000_000;

/// Of the note, and of a transfer with all that belongs to it, in picoseconds.
fn weights() -> (u64, u64) {
    let call = transfer(account(0));
    let note = pallet_reputation::RecordActivity::<Runtime>::new();
    let mut chain = Chain::of("local");
    chain.read(|| {
        let info = call.get_dispatch_info();
        let base = <Runtime as frame_system::Config>::BlockWeights::get();
        let extensions = extension(0, 0).weight(&call);
        let whole = info.call_weight + extensions + base.get(info.class).base_extrinsic;
        (note.weight(&call).ref_time(), whole.ref_time())
    })
}

fn share(part: u64, of: u64) -> f64 {
    part as f64 * 100.0 / of as f64
}

fn measure(count: u32) -> String {
    let mut chain = filled(count);
    // The chain knows its genesis, and signatures can be made.
    block(&mut chain, &[]);
    let hooks = hooks(&mut chain);
    let (with, without) = transfers(&mut chain, count);
    let empty = median((0..BLOCKS).map(|_| block(&mut chain, &[])).collect());
    let full = median((0..BLOCKS).map(|round| full_block(&mut chain, count, round)).collect());
    let worst = hooks.all_due.max(hooks.nothing_due) + hooks.batch;
    let notes = with.saturating_sub(without) * TRANSFERS;
    format!(
        "{count:>9} | {:>7} {:>7} {:>7} | {:>8} {:>8} | {:>7} {:>7} | {:>5.1} % | {:.1} % (hooks at worst and the notes of {TRANSFERS} transfers)",
        show(hooks.nothing_due),
        show(hooks.all_due),
        show(hooks.batch),
        show(empty),
        show(full),
        show(with),
        show(without),
        share(with.saturating_sub(without).as_nanos() as u64, without.as_nanos() as u64),
        share((worst + notes).as_nanos() as u64, 20_000_000),
    )
}

fn show(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1_000.0 {
        format!("{micros:.0} µs")
    } else {
        format!("{:.1} ms", micros / 1_000.0)
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn timed<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

fn pair(n: u32) -> sr25519::Pair {
    let mut seed = [5; 32];
    seed[..4].copy_from_slice(&n.to_le_bytes());
    sr25519::Pair::from_seed(&seed)
}

/// The first have keys.
fn account(n: u32) -> AccountId {
    if n < SIGNERS {
        pair(n).public().into()
    } else {
        AccountId::new(blake2_256(&n.to_le_bytes()))
    }
}

/// Some account, another one each time.
fn somebody(n: u32, count: u32) -> AccountId {
    account(SIGNERS + n.wrapping_mul(7_919) % (count - SIGNERS))
}

fn address(n: u32) -> H160 {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&blake2_256(&(b"address", n).encode())[..20]);
    H160(bytes)
}

fn transfer(dest: AccountId) -> RuntimeCall {
    let dest = dest.into();
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value: VALUE })
}

fn activity(n: u32) -> Activity {
    Activity {
        first_day: TODAY - 100,
        last_day: TODAY,
        succeeded: 120 + n % 50,
        failed: n % 7,
        transfers: 60,
        volume: 5_000_000_000 + u64::from(n),
        partners: u128::from_le_bytes(blake2_256(&n.to_le_bytes())[..16].try_into().expect("16")),
    }
}

/// What the state holds of an account.
fn entries(n: u32, decimals: u8) -> [(Vec<u8>, Vec<u8>); 5] {
    let (who, address, activity) = (account(n), address(n), activity(n));
    let l1 = Score::saturating(u64::from(n % 101));
    let data = AccountData { free: COINS, activity, ..Default::default() };
    let info: frame_system::AccountInfo<Nonce, AccountData> =
        frame_system::AccountInfo { providers: 1, data, ..Default::default() };
    let standing = Standing { l1, ..Default::default() };
    let now = score(&Facts { l1, activity, decimals, ..Default::default() });
    let said = ExportedScore { score: now.aggregated, suspicion: now.suspicion };
    [
        (frame_system::Account::<Runtime>::hashed_key_for(&who), info.encode()),
        (Standings::<Runtime>::hashed_key_for(&who), standing.encode()),
        (L1Addresses::<Runtime>::hashed_key_for(&who), address.encode()),
        (L1Accounts::<Runtime>::hashed_key_for(address), who.encode()),
        (
            KnownAddresses::<Runtime>::hashed_key_for(address),
            Known { said: Some(said), batch: 1, has_reserve: false }.encode(),
        ),
    ]
}

/// A chain whose state holds so many accounts besides those of its genesis. The issuance
/// does not count their coins.
fn filled(count: u32) -> Chain {
    let mut chain = Chain::of("local");
    let decimals = chain.read(|| pallet_chain_parameters::Parameters::<Runtime>::get().decimals);
    for first in (0..count).step_by(CHUNK as usize) {
        let chunk = first..count.min(first + CHUNK);
        chain.ext.batch_insert(chunk.flat_map(|n| entries(n, decimals)));
        // What the trie needs no more.
        chain.ext.backend.backend_storage_mut().purge();
    }
    chain
}

struct HookTimes {
    nothing_due: Duration,
    all_due: Duration,
    batch: Duration,
}

/// The hooks alone, each time over addresses that were not read before.
fn hooks(chain: &mut Chain) -> HookTimes {
    let number = chain.head.number + 1;
    let idle = || timed(|| ReputationExport::on_idle(number, Weight::MAX)).0;
    let interval = <Runtime as pallet_reputation_export::Config>::Interval::get;
    let nothing_due = chain.read(|| {
        let times = median((0..CALLS).map(|_| idle()).collect());
        assert!(Draft::<Runtime>::get().is_empty(), "everything was said");
        times
    });
    let (all_due, batch) = chain.read(|| {
        undone(|| {
            // With a coin of one unit everybody has moved a fortune, and all scores change.
            pallet_chain_parameters::Parameters::<Runtime>::mutate(|table| table.decimals = 0);
            let all_due = median((0..CALLS).map(|_| idle()).collect());
            assert_eq!(Draft::<Runtime>::get().len() as u32, CALLS * MAX_SWEPT);
            // The rest of what turns may fill of a batch.
            for _ in 0..8 {
                let _ = idle();
            }
            let batch = (0..BLOCKS)
                .map(|_| undone(|| timed(|| ReputationExport::on_initialize(interval())).0));
            (all_due, median(batch.collect()))
        })
    });
    chain.ext.commit_all().expect("the cursor can be committed");
    HookTimes { nothing_due, all_due, batch }
}

fn begin(chain: &mut Chain, time: Moment) -> impl FnOnce() {
    let header = chain.unfinished(time);
    let noted = chain.participation();
    move || {
        Executive::initialize_block(&header);
        for inherent in [timestamp(time), noted] {
            Executive::apply_extrinsic(inherent)
                .expect("the inherent is valid")
                .expect("the inherent succeeds");
        }
    }
}

/// A transfer with all extensions, and one without the note, neither with its signature:
/// of accounts that the block has not touched.
fn transfers(chain: &mut Chain, count: u32) -> (Duration, Duration) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..BLOCKS {
        let time = chain.time + 500;
        let begin = begin(chain, time);
        chain.read(|| {
            undone(|| {
                begin();
                for n in 0..TRANSFERS {
                    // Neither is always first, nor always of the same accounts.
                    for noted in [(n + round) % 2 == 0, (n + round) % 2 != 0] {
                        let signer = account(2 * n + u32::from(noted ^ (round % 2 == 0)));
                        let call = transfer(somebody(2 * n + u32::from(noted), count));
                        let took = dispatch(signer, call, noted);
                        let times = if noted { &mut with } else { &mut without };
                        times.push(took);
                    }
                }
            });
        });
    }
    (median(with), median(without))
}

/// About what a transfer's bytes are.
const LENGTH: usize = 150;

fn dispatch(signer: AccountId, call: RuntimeCall, noted: bool) -> Duration {
    let whole: TxExtension = extension(System::account_nonce(&signer), 0);
    let mut info = call.get_dispatch_info();
    let origin = RuntimeOrigin::signed(signer);
    let (took, result) = if noted {
        info.extension_weight = whole.weight(&call);
        timed(|| whole.dispatch_transaction(origin, call, &info, LENGTH, 0))
    } else {
        let (a, b, c, d, e, f, g, h, i, j, k, (_, outcome, reclaim)) = whole;
        let rest = (a, b, c, d, e, f, g, h, i, j, k, (outcome, reclaim));
        info.extension_weight = rest.weight(&call);
        timed(|| rest.dispatch_transaction(origin, call, &info, LENGTH, 0))
    };
    result.expect("the transfer is valid").expect("the transfer succeeds");
    took
}

/// Makes a block of these transfers; how long that took, its state root included.
fn block(chain: &mut Chain, transactions: &[cascoin_l2_runtime::UncheckedExtrinsic]) -> Duration {
    chain.time += 500;
    let time = chain.time;
    let begin = begin(chain, time);
    let (took, header) = chain.read(|| {
        timed(|| {
            begin();
            for transaction in transactions {
                Executive::apply_extrinsic(transaction.clone())
                    .expect("the transfer is valid")
                    .expect("the transfer succeeds");
            }
            Executive::finalize_block()
        })
    });
    chain.ext.commit_all().expect("changes can be committed");
    chain.head = header;
    took
}

fn full_block(chain: &mut Chain, count: u32, round: u32) -> Duration {
    let signed: Vec<_> = (0..TRANSFERS)
        .map(|n| {
            let pair = pair(n);
            let nonce = chain.read(|| System::account_nonce(&AccountId::from(pair.public())));
            let call = transfer(somebody(round * TRANSFERS + n, count));
            chain.sign_with(&pair, nonce, 0, call)
        })
        .collect();
    block(chain, &signed)
}
