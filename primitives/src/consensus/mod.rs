//! What sequencers sign, and the certificate that makes a block final.
//!
//! The wire shapes are those of Aura headers and GRANDPA justifications, so that
//! stock light clients and bridges can follow the chain, while the protocol is
//! our own (design: consensus.md, decision 7).

mod certificate;
mod digest;
mod evidence;
mod message;
mod round;

#[cfg(test)]
mod certificate_tests;
#[cfg(test)]
mod evidence_tests;
#[cfg(test)]
mod message_tests;

pub use certificate::{verify_certificate, Certificate, CertificateError, CERTIFICATE_ENGINE_ID};
pub use digest::{LeaderDigest, LEADER_ENGINE_ID};
pub use evidence::{DoubleSignEvidence, MessageKind, SignedStatement, Statement};
pub use message::{
    bft_message, hello_message, is_a_block, precommit_payload, Step, BFT_DOMAIN, HELLO_DOMAIN,
};
pub use round::{GrandpaRound, RoundError};
