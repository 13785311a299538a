//! What must hold of a network, whatever was done to it.

use crate::{
    error::{Error, Result},
    network::Network,
    signed::expect_no_double_signs,
    witness::{Agreed, Witness},
};

/// What an audit looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Final blocks and their transactions, which all nodes hold.
    pub agreed: Agreed,
    /// Signatures in the write-ahead logs, no two of which contradict each other.
    pub signatures: usize,
}

/// Checks a network that carried transfers while `witness` watched: all nodes run and
/// hold all that any of them called final, transactions among it, and nobody signed
/// twice.
///
/// # Errors
/// [`Error::Other`] with what does not hold; [`Error::TimedOut`] if a node does not
/// catch up.
pub fn audit(network: &mut Network, witness: Witness) -> Result<Audit> {
    network.expect_no_equivocations()?;
    let (running, nodes) = (network.running().len(), network.nodes.len());
    if running != nodes {
        return Err(Error::other(format!("{running} of {nodes} nodes run in the end")));
    }
    let agreed = witness.check(network)?;
    if agreed.transactions == 0 {
        return Err(Error::other(format!("no transfer became final: {agreed:?}")));
    }
    network.expect_one_chain()?;
    let signatures = expect_no_double_signs(network)?;
    if signatures == 0 {
        return Err(Error::other("the write-ahead logs hold no signature"));
    }
    Ok(Audit { agreed, signatures })
}
