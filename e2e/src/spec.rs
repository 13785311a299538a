//! Chain specs with another number of sequencers than the presets have, with other keys,
//! other parameters or seeds of the web of trust, or of a chain that `l2_deploy` prepared.

use crate::{
    error::{Error, IoContext, Result},
    extrinsic::{account, dev_pair},
    genesis::chain_spec,
    network::session_uri,
    node::ALL_DEV_KEYS,
};
use serde_json::{json, Value};
use sp_core::{crypto::Ss58Codec, ecdsa, ed25519, Pair, H160};
use std::{fs, path::Path};

/// Everybody ranks alike.
const WEIGHT: u64 = 100;
/// For fees, in units.
const ENDOWMENT: u64 = 100_000_000_000;

/// Writes the spec of `preset` with the first `sequencers` of [`ALL_DEV_KEYS`] as
/// its sequencers to `file`.
///
/// # Errors
/// [`Error::Other`] if the preset has another shape, or there are fewer keys.
pub fn write(preset: &str, sequencers: usize, file: &Path) -> Result<()> {
    write_with_keys(preset, sequencers, &[], file)
}

/// As [`write`]; the named sequencers have the given session keys, in the form that
/// `session.keys` wants, instead of their development keys.
///
/// # Errors
/// As [`write`].
pub fn write_with_keys(
    preset: &str,
    sequencers: usize,
    keys: &[(&str, Value)],
    file: &Path,
) -> Result<()> {
    let mut spec = chain_spec(preset)?;
    name_sequencers(&mut spec["genesis"]["runtimeGenesis"]["patch"], sequencers, keys)?;
    save(&spec, file)
}

/// Writes to `file` the spec of a chain whose genesis `l2_deploy` gave, completed with the
/// first `sequencers` of [`ALL_DEV_KEYS`]. It opens `bootstrap_ms` after its first block.
///
/// # Errors
/// [`Error::Other`] if it is no such genesis, or there are fewer keys; [`Error::Io`].
pub fn write_deployed(
    deployed: &Value,
    sequencers: usize,
    bootstrap_ms: u64,
    file: &Path,
) -> Result<()> {
    // Its program; everything else is the new chain's.
    let mut spec = chain_spec("regtest")?;
    let id = format!("deployed-{}", deployed["chainId"]);
    spec["name"] = deployed["name"].clone();
    spec["id"] = json!(id);
    spec["protocolId"] = json!(id);
    let mut genesis = deployed["genesis"].clone();
    name_sequencers(&mut genesis, sequencers, &[])?;
    let rules = &mut genesis["l2Registry"]["rules"];
    if rules["bootstrapMs"].is_null() {
        return Err(Error::other(format!("no rules of bootstrap in {deployed}")));
    }
    rules["bootstrapMs"] = json!(bootstrap_ms);
    spec["genesis"]["runtimeGenesis"]["patch"] = genesis;
    save(&spec, file)
}

/// Names the sequencers of a genesis, and endows those that it endows with nothing.
fn name_sequencers(patch: &mut Value, sequencers: usize, keys: &[(&str, Value)]) -> Result<()> {
    let names = ALL_DEV_KEYS.get(..sequencers);
    let names = names.ok_or_else(|| Error::other("there are seven development keys"))?;
    let given = |name: &str| keys.iter().find(|(of, _)| *of == name).map(|(_, keys)| keys.clone());
    let members: Result<Vec<Value>> = names.iter().map(|name| member(name, given(name))).collect();
    patch["session"]["keys"] = Value::Array(members?);
    let mut weights = Vec::new();
    for name in names {
        weights.push(json!({ "account": address(name)?, "weight": WEIGHT }));
    }
    patch["sequencerRegistry"]["members"] = Value::Array(weights);
    // Who has session keys must exist as an account.
    let balances = patch["balances"]["balances"].as_array_mut();
    let balances = balances.ok_or_else(|| Error::other("the preset endows nobody"))?;
    for name in names {
        let address = json!(address(name)?);
        if !balances.iter().any(|entry| entry[0] == address) {
            balances.push(json!([address, ENDOWMENT]));
        }
    }
    Ok(())
}

/// Writes the spec of `preset` to `file`, with one of its parameters changed.
///
/// # Errors
/// [`Error::Other`] if the node makes no spec, or there is no such parameter;
/// [`Error::Io`].
pub fn write_with_parameter(preset: &str, name: &str, value: &Value, file: &Path) -> Result<()> {
    let mut spec = chain_spec(preset)?;
    change_parameter(&mut spec, name, value)?;
    save(&spec, file)
}

/// As [`write`], with some of the preset's parameters changed.
///
/// # Errors
/// As [`write`] and [`write_with_parameter`].
pub fn write_with_parameters(
    preset: &str,
    sequencers: usize,
    changes: &[(&str, Value)],
    file: &Path,
) -> Result<()> {
    let mut spec = chain_spec(preset)?;
    name_sequencers(&mut spec["genesis"]["runtimeGenesis"]["patch"], sequencers, &[])?;
    for (name, value) in changes {
        change_parameter(&mut spec, name, value)?;
    }
    save(&spec, file)
}

fn change_parameter(spec: &mut Value, name: &str, value: &Value) -> Result<()> {
    let table = &mut spec["genesis"]["runtimeGenesis"]["patch"]["chainParameters"]["parameters"];
    if table[name].is_null() {
        return Err(Error::other(format!("no parameter {name} in {table}")));
    }
    table[name] = value.clone();
    Ok(())
}

/// Writes the spec of `preset` to `file`, with L1 addresses from which trust spreads.
///
/// # Errors
/// [`Error::Other`] if the node makes no spec, [`Error::Io`] if it cannot be written.
pub fn write_with_trust_seeds(preset: &str, seeds: &[H160], file: &Path) -> Result<()> {
    let mut spec = chain_spec(preset)?;
    spec["genesis"]["runtimeGenesis"]["patch"]["reputation"]["trustSeeds"] = json!(seeds);
    save(&spec, file)
}

fn save(spec: &Value, file: &Path) -> Result<()> {
    fs::write(file, spec.to_string()).attempt(|| format!("writing {}", file.display()))
}

fn address(name: &str) -> Result<String> {
    Ok(account(&dev_pair(&session_uri(name))?).to_ss58check())
}

/// An entry of `session.keys`, as docs/operating.md describes it.
fn member(name: &str, keys: Option<Value>) -> Result<Value> {
    let keys = keys.map_or_else(|| development_keys(name), Ok)?;
    Ok(json!([address(name)?, address(name)?, keys]))
}

fn development_keys(name: &str) -> Result<Value> {
    let uri = session_uri(name);
    let wrong = |error| Error::other(format!("{uri}: {error:?}"));
    let ed25519 = ed25519::Pair::from_string(&uri, None).map_err(wrong)?.public().to_ss58check();
    let ecdsa = ecdsa::Pair::from_string(&uri, None).map_err(wrong)?.public().to_ss58check();
    Ok(json!({ "aura": ed25519, "grandpa": ed25519, "relay": ed25519, "vault": ecdsa }))
}
