//! Measures what `weights.rs` estimates.

use crate::{
    pallet::{Call, Config, Pallet, Parameters},
    ParameterChange,
};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_parameter() {
        let rate_limit = Parameters::<T>::get().rate_limit.saturating_add(1);
        #[extrinsic_call]
        set_parameter(RawOrigin::Root, ParameterChange::RateLimit(rate_limit));
        assert_eq!(Parameters::<T>::get().rate_limit, rate_limit);
    }
}
