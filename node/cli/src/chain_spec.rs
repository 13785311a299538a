//! The networks a node can run, made from the runtime's genesis presets.

use cascoin_l2_primitives::chain::{ChainParameters, Network};
use cascoin_l2_runtime::{genesis_config_presets as presets, WASM_BINARY};
use sc_service::{ChainType, Properties};

/// A chain specification.
pub type ChainSpec = sc_service::GenericChainSpec;

/// All prefixes of addresses are Substrate's own.
const SS58_FORMAT: u16 = 42;

/// The specification behind `--chain ID`: a preset's name, or a file.
///
/// # Errors
/// A sentence for the operator.
pub fn load(id: &str) -> Result<ChainSpec, String> {
    match id {
        "" | presets::MAINNET => {
            preset(presets::MAINNET, "Cascoin L2", ChainType::Live, presets::mainnet())
        }
        presets::TESTNET => {
            preset(presets::TESTNET, "Cascoin L2 Testnet", ChainType::Live, presets::testnet())
        }
        presets::REGTEST => {
            preset(presets::REGTEST, "Cascoin L2 Regtest", ChainType::Local, presets::regtest())
        }
        presets::LOCAL => {
            preset(presets::LOCAL, "Cascoin L2 Local", ChainType::Local, presets::local())
        }
        presets::DEV => {
            preset(presets::DEV, "Cascoin L2 Development", ChainType::Development, presets::dev())
        }
        path => ChainSpec::from_json_file(path.into()).map_err(|error| {
            format!(
                "`--chain {path}` is neither one of {} nor a readable chain specification: {error}",
                presets::ALL.join(", "),
            )
        }),
    }
}

fn preset(
    id: &str,
    name: &str,
    kind: ChainType,
    parameters: ChainParameters,
) -> Result<ChainSpec, String> {
    let wasm = WASM_BINARY.ok_or(
        "this binary was built without its WASM runtime (SKIP_WASM_BUILD); build it without",
    )?;
    let symbol = match parameters.network {
        Network::Mainnet => "CAS",
        Network::Testnet => "tCAS",
        Network::Regtest | Network::Dev => "rCAS",
    };
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), symbol.into());
    properties.insert("tokenDecimals".into(), parameters.decimals.into());
    properties.insert("ss58Format".into(), SS58_FORMAT.into());
    Ok(ChainSpec::builder(wasm, None)
        .with_name(name)
        .with_id(&format!("cascoin-l2-{id}"))
        .with_protocol_id(&format!("cascoin-l2-{id}"))
        .with_chain_type(kind)
        .with_properties(properties)
        .with_genesis_config_preset_name(id)
        .build())
}
