//! How much of a block users have together.

use crate::{mock::*, CheckGas, CHAIN_HALTED, TOO_MUCH_GAS};
use cascoin_l2_primitives::chain::MAX_BLOCK_GAS;
use codec::Encode;
use frame_support::{
    dispatch::{
        DispatchClass::{Mandatory, Normal, Operational},
        RawOrigin,
    },
    weights::Weight,
};
use frame_system::CheckWeight;
use sp_runtime::{
    traits::TransactionExtension,
    transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
};

const EXHAUSTED: Result<(), TransactionValidityError> =
    Err(TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources));
const TOO_LARGE: Result<(), TransactionValidityError> =
    Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(TOO_MUCH_GAS)));
/// What users have of a block on a chain whose blocks are a third of the largest.
const SMALL: u64 = NORMAL / 3;

fn users_took(ref_time: u64) {
    System::register_extra_weight_unchecked(Weight::from_parts(ref_time, 0), Normal);
}

fn on_a_small_chain(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        GasLimit::set(MAX_BLOCK_GAS / 3);
        assert_eq!(RateLimit::users_share(), SMALL);
        test();
    });
}

#[test]
fn r26_1_users_have_their_share_of_the_chains_gas_and_no_more() {
    on_a_small_chain(|| {
        let call = taking(1_000_000, Normal);
        let needed = 1_000_000 + BASE;
        users_took(SMALL - needed);
        assert_eq!(has_gas(&call), Ok(()), "it fills the block to the last");
        users_took(1);
        assert_eq!(has_gas(&call), EXHAUSTED);
        assert_eq!(has_gas(&taking(0, Normal)), Ok(()), "a smaller one still fits");
        next_block();
        assert_eq!(has_gas(&call), Ok(()), "and in the next block it does");
    });
}

/// R12.5: what the call filter would refuse costs nobody a fee.
#[test]
fn r12_5_a_halted_chain_refuses_users_transactions_before_they_pay() {
    new_test_ext().execute_with(|| {
        Halted::set(true);
        // Pools would ban for half an hour what is invalid.
        let halted = UnknownTransaction::Custom(CHAIN_HALTED);
        assert_eq!(takes(&failing()), Err(TransactionValidityError::Unknown(halted)));
        assert_eq!(takes(&good()), Ok(()));
        Halted::set(false);
        assert_eq!(takes(&failing()), Ok(()));
    });
}

/// R19.3: while a recovery runs.
#[test]
fn r19_3_what_is_signed_waits_but_for_operators_and_is_not_banned() {
    new_test_ext().execute_with(|| {
        SignersWait::set(true);
        let halted =
            Err(TransactionValidityError::Unknown(UnknownTransaction::Custom(CHAIN_HALTED)));
        assert_eq!(takes(&good()), halted);
        let info = taking(0, Normal);
        let of = |seed| has_gas_for(RawOrigin::Signed(account(seed)), &info);
        assert_eq!((of(1), of(OPERATOR)), (halted, Ok(())));
        // Nobody signs what carries its own authorisation.
        assert_eq!(has_gas_for(RawOrigin::Authorized, &info), Ok(()));
        SignersWait::set(false);
        assert_eq!((takes(&good()), of(1)), (Ok(()), Ok(())));
    });
}

#[test]
fn r26_1_what_no_block_has_room_for_is_never_good() {
    on_a_small_chain(|| {
        assert_eq!(has_gas(&taking(SMALL - BASE, Normal)), Ok(()));
        assert_eq!(has_gas(&taking(SMALL - BASE + 1, Normal)), TOO_LARGE);
        assert_eq!(has_gas(&taking(u64::MAX, Normal)), TOO_LARGE);
        let bare = |ref_time| {
            CheckGas::<Test>::bare_validate(&good(), &taking(ref_time, Normal), 0).map(|_| ())
        };
        assert_eq!(bare(SMALL - BASE), Ok(()));
        assert_eq!(bare(SMALL - BASE + 1), TOO_LARGE);
    });
}

#[test]
fn relay_votes_and_inherents_are_never_refused() {
    on_a_small_chain(|| {
        users_took(SMALL);
        assert_eq!(has_gas(&taking(0, Normal)), EXHAUSTED);
        let vote = taking(NORMAL, Operational);
        assert_eq!(has_gas_for(RawOrigin::Authorized, &vote), Ok(()));
        assert_eq!(has_gas_for(RawOrigin::Signed(account(OPERATOR)), &vote), Ok(()));
        for class in [Operational, Mandatory] {
            let info = taking(NORMAL, class);
            let bare = CheckGas::<Test>::bare_validate_and_prepare(&good(), &info, 0);
            assert_eq!(bare, Ok(()), "{class:?}");
        }
        let bare = CheckGas::<Test>::bare_validate_and_prepare(&good(), &taking(0, Normal), 0);
        assert_eq!(bare, EXHAUSTED);
    });
}

/// A proxy's transaction is of the class of the call inside, so anybody can make one of
/// any class, and only this keeps them within the users' share.
#[test]
fn r26_1_users_sign_nothing_that_no_limit_holds_back() {
    new_test_ext().execute_with(|| {
        let refused = |why: InvalidTransaction| Err(TransactionValidityError::Invalid(why));
        for seed in [1, OPERATOR] {
            let origin = RawOrigin::Signed(account(seed));
            let mandatory = has_gas_for(origin, &taking(1, Mandatory));
            assert_eq!(mandatory, refused(InvalidTransaction::MandatoryValidation));
        }
        let authorized = has_gas_for(RawOrigin::Authorized, &taking(1, Mandatory));
        assert_eq!(authorized, refused(InvalidTransaction::MandatoryValidation));
        assert_eq!(has_gas(&taking(1, Operational)), refused(InvalidTransaction::BadSigner));
        assert_eq!(has_gas(&taking(1, Normal)), Ok(()));
    });
}

/// Where the chain's gas is the runtime's, there is one limit and not two.
#[test]
fn r26_1_on_a_chain_with_the_largest_blocks_it_is_the_runtimes_limit() {
    new_test_ext().execute_with(|| {
        assert_eq!(RateLimit::users_share(), NORMAL);
        let call = taking(1_000_000, Normal);
        let system = |call| CheckWeight::<Test>::do_prepare(call, 0, 0);
        users_took(NORMAL - 1_000_000 - BASE);
        assert_eq!(has_gas(&call), Ok(()));
        assert_eq!(system(&call), Ok(()));
        next_block();
        users_took(NORMAL - 1_000_000 - BASE + 1);
        assert_eq!(has_gas(&call), EXHAUSTED);
        assert_eq!(system(&call), EXHAUSTED);
    });
}

#[test]
fn it_has_no_payload() {
    let extension = CheckGas::<Test>::new();
    assert_eq!(extension.encode(), [0u8; 0]);
    assert_eq!(format!("{extension:?}"), "CheckGas");
    let implicit = <CheckGas<Test> as TransactionExtension<RuntimeCall>>::implicit(&extension);
    assert_eq!(implicit.map(|implicit| implicit.encode()), Ok(vec![]));
}
