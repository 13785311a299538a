//! Keys in an HSM: the node's keystore over it, and the commands for it.

use crate::cli::{HsmCmd, Pkcs11Args};
use cascoin_consensus::{KeySource, SignerMemory};
use cascoin_hsm::{device::Device, HighWater, HsmKeystore, KeyKind, Token, TokenConfig, TokenKey};
use cascoin_l2_primitives::chain::BlockHash;
use sc_keystore::LocalKeystore;
use sc_service::KeystoreContainer;
use sp_core::{
    crypto::{ByteArray, Ss58Codec},
    ecdsa, ed25519,
};
use sp_keystore::KeystorePtr;
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The token that the flags name, if they name one.
pub fn token_config(args: &Pkcs11Args) -> Option<TokenConfig> {
    Some(TokenConfig {
        module: args.pkcs11_module.clone()?,
        token: args.pkcs11_token.clone()?,
        pin_file: args.pkcs11_pin_file.clone()?,
    })
}

/// Where this node signs for a chain: on the token, or with the keys of its folder. `new_keys`:
/// whether a key on the token that has no high-water mark has never signed. Only one that is to
/// vote gets its mark then; else it signs no vote, and the node starts without it.
///
/// # Errors
/// What is wrong with the token, or with a mark that is there, for the operator.
pub fn key_source(
    args: &Pkcs11Args,
    local: &KeystoreContainer,
    marks: PathBuf,
    genesis: BlockHash,
    new_keys: bool,
) -> Result<KeySource, String> {
    let Some(config) = token_config(args) else {
        let keystore = local.keystore();
        return Ok(KeySource { keystore, local: Some(local.local_keystore()), memory: None });
    };
    let marks = HighWater::new(marks).of_chain(genesis.0);
    let keystore = open(config, marks, new_keys, local.keystore())?;
    log::info!(
        target: "l2",
        "keys are in an HSM: {}",
        keystore.token_keys().iter().map(describe).collect::<Vec<_>>().join(", "),
    );
    let keystore = Arc::new(keystore);
    let marked = keystore.clone();
    let memory: SignerMemory =
        Arc::new(move |key| marked.last_signed(key).map_err(|error| format!("HSM: {error}")));
    // Not with the folder: read from there, a key would sign without its high-water mark.
    Ok(KeySource::remembering(keystore, memory))
}

/// `hsm generate` and `hsm list`. `marks`: where the node will look for high-water marks.
///
/// # Errors
/// What is wrong with the token; that it has keys already.
pub fn run(cmd: &HsmCmd, marks: PathBuf) -> Result<(), String> {
    let config = token_config(&cmd.args().pkcs11)
        .ok_or("name the HSM with --pkcs11-module, --pkcs11-token and --pkcs11-pin-file")?;
    let nothing: KeystorePtr = Arc::new(LocalKeystore::in_memory());
    let mut out = std::io::stdout().lock();
    match cmd {
        HsmCmd::List(_) => {
            for key in list(config)? {
                writeln!(out, "{}", describe(&key)).map_err(|error| error.to_string())?;
            }
        }
        HsmCmd::Generate(_) => {
            // Before the keystore, which warns of keys that have no mark.
            if !list(config.clone())?.is_empty() {
                return Err(
                    "HSM: the token has session keys already (`hsm list` shows them). New ones \
                     are made by the running node, with author_rotateKeysWithOwner; what an \
                     attempt that was cut off left is removed with the maker's own tools"
                        .into(),
                );
            }
            let keystore = open(config, HighWater::new(marks), false, nothing)?;
            for kind in KeyKind::ALL {
                let key = keystore.generate(kind).map_err(|error| error.to_string())?;
                writeln!(out, "{}", describe(&key)).map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}

/// The token's session keys.
fn list(config: TokenConfig) -> Result<Vec<TokenKey>, String> {
    Token::new(config).keys().map_err(|error| format!("HSM: {error}"))
}

fn open(
    config: TokenConfig,
    marks: HighWater,
    new_keys: bool,
    local: KeystorePtr,
) -> Result<HsmKeystore, String> {
    HsmKeystore::open(Box::new(Token::new(config)), marks, new_keys, local)
        .map_err(|error| format!("HSM: {error}"))
}

/// Where the high-water marks are, in the folder of the write-ahead logs' neighbour.
pub fn marks_folder(wal_folder: &Path) -> PathBuf {
    wal_folder.with_file_name("hsm")
}

/// `gran 0x… 5G…`.
fn describe(key: &TokenKey) -> String {
    let address = match key.kind.is_ed25519() {
        true => ed25519::Public::from_slice(&key.public).map(|public| public.to_ss58check()),
        false => ecdsa::Public::from_slice(&key.public).map(|public| public.to_ss58check()),
    };
    format!("{} 0x{} {}", key.kind.name(), hex::encode(&key.public), address.unwrap_or_default())
}
