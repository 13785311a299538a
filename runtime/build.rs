//! Builds the WASM runtime, with the metadata hash of RFC-78, so that offline
//! signers can check what they sign. Its symbol and decimals are mainnet's: one
//! WASM serves all networks.
fn main() {
    #[cfg(feature = "std")]
    {
        // The build directory lies outside the clone, where the builder would not
        // find the lock file and take other versions than the node.
        let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        std::env::set_var("WASM_BUILD_WORKSPACE_HINT", workspace);
        let builder = substrate_wasm_builder::WasmBuilder::init_with_defaults();
        #[cfg(feature = "metadata-hash")]
        let builder = builder.enable_metadata_hash("CAS", 7);
        builder.build();
    }
}
