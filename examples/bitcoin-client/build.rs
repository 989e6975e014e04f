//! Generates the proxies of Bitcoin Core's interfaces, once for each version of its schema.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    for version in ["v30", "v31", "v32"] {
        let schema = format!("schema/{version}");
        mp_gen::Builder::new()
            .src_prefix(&schema)
            .file(format!("{schema}/init.capnp"))
            .module(&format!("schema::{version}"))
            .optional("Mining.waitTipChanged.result")
            .optional("Mining.createNewBlock.result")
            .optional("BlockTemplate.waitNext.result")
            .out_dir(out.join(version))
            .compile()?;
    }
    Ok(())
}
