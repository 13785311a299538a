//! What sequencers signed, read from their write-ahead logs.

use crate::{
    error::{Error, IoContext, Result},
    network::Network,
    node::binary,
};
use serde_json::Value;
use std::{collections::BTreeMap, process::Command};

/// Checks that no sequencer's log holds two different votes of one kind or two
/// different proposals of one round; how many it looked at.
///
/// # Errors
/// [`Error::Other`] with the first two that differ, or if a log cannot be read.
pub fn expect_no_double_signs(network: &Network) -> Result<usize> {
    let sequencers = network.nodes.iter().filter(|node| node.config().sequences());
    let mut count = 0;
    for node in sequencers {
        let output = Command::new(binary()?)
            .args(["wal", "--json", "--chain", &node.config().chain, "--base-path"])
            .arg(node.base_path())
            .output()
            .attempt(|| "reading a write-ahead log".into())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::other(format!("the log of {}: {said}", node.name())));
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        count +=
            check(lines.lines()).map_err(|why| Error::other(format!("{}: {why}", node.name())))?;
    }
    Ok(count)
}

/// As above, over the lines that `cascoin-l2 wal --json` prints.
fn check<'a>(lines: impl Iterator<Item = &'a str>) -> Result<usize, String> {
    let mut signed: BTreeMap<(String, u64, u64, String), Value> = BTreeMap::new();
    for line in lines {
        let record: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let kind = record["record"].as_str().unwrap_or_default();
        if !["proposal", "prevote", "precommit"].contains(&kind) {
            continue;
        }
        let (height, round) = (record["height"].as_u64(), record["round"].as_u64());
        let (Some(height), Some(round)) = (height, round) else {
            return Err(format!("neither height nor round: {record}"));
        };
        // A lock's proof is in the log as well, which is votes of others.
        let who = format!("{}{}", record["voter"], record["proposer"]);
        let block = record["block"].clone();
        // The same once more is what a node does that comes back.
        let known = signed.entry((kind.into(), height, round, who)).or_insert(block.clone());
        if *known != block {
            return Err(format!(
                "two of {kind} at height {height}, round {round}: {known} and {block}"
            ));
        }
    }
    Ok(signed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_votes_of_a_round_are_found() {
        let vote_of = |voter: u16, kind: &str, round: u16, block: &str| {
            format!(
                r#"{{"record":"{kind}","height":3,"round":{round},"block":{block},"voter":{voter}}}"#
            )
        };
        let vote = |kind: &str, round, block: &str| vote_of(2, kind, round, block);
        let good = [
            vote("prevote", 0, "\"0x01\""),
            vote("precommit", 0, "null"),
            vote("prevote", 1, "\"0x02\""),
            vote("prevote", 0, "\"0x01\""),
            vote_of(1, "prevote", 0, "null"),
            r#"{"record":"lock","height":3,"round":0,"block":"0x01"}"#.into(),
        ];
        assert_eq!(check(good.iter().map(String::as_str)), Ok(4));
        let bad = [vote("precommit", 0, "null"), vote("precommit", 0, "\"0x01\"")];
        assert!(check(bad.iter().map(String::as_str)).is_err());
    }
}
