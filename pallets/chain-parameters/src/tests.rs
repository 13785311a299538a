//! The table is stored as given, read back unchanged, and a useless one is
//! refused at genesis.

use crate::{self as pallet_chain_parameters, check, MinFee, ParameterChange};
use cascoin_l2_primitives::chain::{FeeSplit, L1Network, L1Start, Network, MAX_BLOCK_GAS};
use frame_support::{assert_noop, assert_ok, derive_impl, traits::Get};
use sp_runtime::{BuildStorage, DispatchError};

type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        ChainParameters: pallet_chain_parameters,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

impl pallet_chain_parameters::Config for Test {
    type WeightInfo = ();
}

fn table() -> super::ChainParameters {
    super::ChainParameters {
        chain_id: 3,
        network: Network::Regtest,
        l1_network: L1Network::LitecoinRegtest,
        decimals: 8,
        l1_start: L1Start::default(),
        l1_confirmations: 1,
        block_time_ms: 100,
        blocks_per_leader: 5,
        session_blocks: 60,
        propose_timeout_ms: 1_000,
        prevote_timeout_ms: 150,
        precommit_timeout_ms: 150,
        max_sequencers: 21,
        epoch_sessions: 1,
        min_sequencers: 1,
        min_sequencer_score: 10,
        min_sequencer_stake: 100_000_000,
        min_l2_stake_share: 50,
        min_sequencer_peers: 1,
        block_gas_limit: 10_000_000,
        challenge_period_s: 600,
        fast_challenge_period_s: 60,
        fast_withdrawal_score: 50,
        max_deposit: 10_000_000_000,
        max_daily_deposit: 100_000_000_000,
        max_daily_mint: 1_000_000_000_000,
        anchor_interval: 10,
        forced_inclusion_s: 600,
        emergency_delay_s: 3_600,
        emergency_recovery_s: 60,
        l1_stall_s: 300,
        relay_withholding_s: 600,
        min_fee: 1_000,
        fee_split: FeeSplit { producer: 70, others: 20 },
        fee_discount_score: 80,
        rate_limit: 100,
        mint_timeout_ms: 600_000,
        recovery_threshold: 0,
    }
}

fn storage(parameters: super::ChainParameters) -> sp_runtime::Storage {
    RuntimeGenesisConfig {
        chain_parameters: pallet_chain_parameters::GenesisConfig {
            parameters,
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .expect("genesis builds")
}

#[test]
fn the_table_is_read_back_as_given() {
    sp_io::TestExternalities::new(storage(table())).execute_with(|| {
        assert_eq!(<ChainParameters as Get<super::ChainParameters>>::get(), table());
        assert_eq!(<MinFee<Test> as Get<u128>>::get(), 1_000);
    });
}

#[test]
fn r1_2_governance_changes_one_parameter_at_a_time() {
    sp_io::TestExternalities::new(storage(table())).execute_with(|| {
        System::set_block_number(1);
        let changes: [(ParameterChange, fn(&mut super::ChainParameters)); 14] = [
            (ParameterChange::MaxSequencers(30), |p| p.max_sequencers = 30),
            (ParameterChange::MinSequencerScore(60), |p| p.min_sequencer_score = 60),
            (ParameterChange::MinSequencerStake(7), |p| p.min_sequencer_stake = 7),
            (ParameterChange::BlockGasLimit(MAX_BLOCK_GAS - 1), |p| {
                p.block_gas_limit = MAX_BLOCK_GAS - 1;
            }),
            (ParameterChange::MinFee(3), |p| p.min_fee = 3),
            (ParameterChange::FeeSplit(FeeSplit { producer: 100, others: 0 }), |p| {
                p.fee_split = FeeSplit { producer: 100, others: 0 };
            }),
            (ParameterChange::FeeDiscountScore(90), |p| p.fee_discount_score = 90),
            (ParameterChange::RateLimit(5), |p| p.rate_limit = 5),
            (ParameterChange::MintTimeoutMs(1), |p| p.mint_timeout_ms = 1),
            (ParameterChange::MaxDeposit(7), |p| p.max_deposit = 7),
            (ParameterChange::MaxDailyDeposit(8), |p| p.max_daily_deposit = 8),
            (ParameterChange::MaxDailyMint(9), |p| p.max_daily_mint = 9),
            (ParameterChange::MinL2StakeShare(25), |p| p.min_l2_stake_share = 25),
            (ParameterChange::RecoveryThreshold(11), |p| p.recovery_threshold = 11),
        ];
        let mut expected = table();
        for (change, edit) in changes {
            edit(&mut expected);
            assert_ok!(ChainParameters::set_parameter(RuntimeOrigin::root(), change));
            assert_eq!(<ChainParameters as Get<super::ChainParameters>>::get(), expected);
            System::assert_last_event(crate::Event::<Test>::ParameterSet { change }.into());
        }
    });
}

#[test]
fn what_no_chain_could_run_with_is_refused_and_changes_nothing() {
    sp_io::TestExternalities::new(storage(table())).execute_with(|| {
        let unusable = [
            ParameterChange::MaxSequencers(0),
            ParameterChange::MinSequencerScore(101),
            ParameterChange::BlockGasLimit(0),
            ParameterChange::BlockGasLimit(u64::MAX),
            ParameterChange::MinFee(0),
            ParameterChange::FeeSplit(FeeSplit { producer: 80, others: 21 }),
            ParameterChange::FeeDiscountScore(255),
            ParameterChange::RateLimit(0),
            ParameterChange::MintTimeoutMs(0),
            ParameterChange::MaxDeposit(0),
            ParameterChange::MaxDeposit(100_000_000_001),
            ParameterChange::MaxDailyDeposit(9_999_999_999),
            ParameterChange::MaxDailyDeposit(1_000_000_000_001),
            ParameterChange::MaxDailyMint(99_999_999_999),
            ParameterChange::MinL2StakeShare(101),
        ];
        for change in unusable {
            assert_noop!(
                ChainParameters::set_parameter(RuntimeOrigin::root(), change),
                crate::Error::<Test>::Unusable
            );
        }
        let change = ParameterChange::RateLimit(5);
        assert_noop!(
            ChainParameters::set_parameter(RuntimeOrigin::signed(1), change),
            DispatchError::BadOrigin
        );
    });
}

#[test]
#[should_panic(expected = "chainId must not be 0")]
fn a_chain_without_an_id_has_no_genesis() {
    storage(super::ChainParameters { chain_id: 0, ..table() });
}

#[test]
fn each_rule_is_checked() {
    let edits: [(&str, fn(&mut super::ChainParameters)); 40] = [
        ("chainId", |p| p.chain_id = 0),
        ("decimals", |p| p.decimals = 19),
        ("l1Confirmations", |p| p.l1_confirmations = 0),
        ("blockTimeMs", |p| p.block_time_ms = 0),
        ("blockTimeMs", |p| p.block_time_ms = 30_001),
        ("blocksPerLeader", |p| p.blocks_per_leader = 0),
        ("sessionBlocks", |p| p.session_blocks = 0),
        ("sessionBlocks", |p| p.session_blocks = 61),
        ("proposeTimeoutMs", |p| p.propose_timeout_ms = 0),
        ("prevoteTimeoutMs", |p| p.prevote_timeout_ms = 0),
        ("precommitTimeoutMs", |p| p.precommit_timeout_ms = 0),
        ("minSequencers", |p| p.min_sequencers = 65),
        ("maxSequencers", |p| p.max_sequencers = 0),
        ("maxSequencers", |p| p.max_sequencers = 65),
        ("epochSessions", |p| p.epoch_sessions = 0),
        ("minSequencerScore", |p| p.min_sequencer_score = 101),
        ("minL2StakeShare", |p| p.min_l2_stake_share = 101),
        ("fastWithdrawalScore", |p| p.fast_withdrawal_score = 101),
        ("blockGasLimit must be at least 1000000", |p| p.block_gas_limit = 999_999),
        ("blockGasLimit must not exceed 30000000", |p| p.block_gas_limit = MAX_BLOCK_GAS + 1),
        ("fastChallengePeriodS", |p| p.fast_challenge_period_s = 601),
        ("maxDeposit must not be 0", |p| p.max_deposit = 0),
        ("maxDeposit must not exceed", |p| p.max_deposit = p.max_daily_deposit + 1),
        ("maxDailyDeposit", |p| p.max_daily_deposit = p.max_daily_mint + 1),
        ("anchorInterval", |p| p.anchor_interval = 0),
        ("forcedInclusionS", |p| p.forced_inclusion_s = 0),
        ("forcedInclusionS", |p| p.forced_inclusion_s = 86_401),
        ("emergencyDelayS", |p| p.emergency_delay_s = 59),
        ("emergencyDelayS", |p| p.emergency_delay_s = 604_801),
        ("emergencyRecoveryS", |p| p.emergency_recovery_s = 0),
        ("emergencyRecoveryS", |p| p.emergency_recovery_s = 3_601),
        ("l1StallS", |p| p.l1_stall_s = 59),
        ("l1StallS", |p| p.l1_stall_s = 604_801),
        ("relayWithholdingS", |p| p.relay_withholding_s = 604_801),
        ("relayWithholdingS", |p| p.relay_withholding_s = 15),
        ("minFee", |p| p.min_fee = 0),
        ("feeSplit", |p| p.fee_split.others = 31),
        ("feeDiscountScore", |p| p.fee_discount_score = 101),
        ("rateLimit", |p| p.rate_limit = 0),
        ("mintTimeoutMs", |p| p.mint_timeout_ms = 0),
    ];
    assert_eq!(check(&table()), Ok(()));
    for (name, edit) in edits {
        let mut parameters = table();
        edit(&mut parameters);
        let why = check(&parameters).expect_err(name);
        assert!(why.text().starts_with(name), "{name}: {why}");
    }
}
