//! The definitions of the custom resources in `deploy/crds` are those of the program.

use std::path::Path;

use eco_pulse::kubernetes::policies::definitions;

/// Set it to write the files anew.
const UPDATE: &str = "ECO_PULSE_UPDATE";
const HEAD: &str = "# Generated from src/kubernetes/policies/resource.rs; write it anew with\n\
                    # ECO_PULSE_UPDATE=1 cargo test --test crds\n";

#[test]
fn the_files_are_as_generated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/crds");
    for (name, definition) in definitions() {
        let file = folder.join(&name);
        // Twice through JSON, which orders nothing and drops nothing.
        let value = serde_json::to_value(&definition).unwrap();
        let text = format!("{HEAD}{}", serde_saphyr::to_string(&value).unwrap());
        if std::env::var_os(UPDATE).is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            committed, text,
            "deploy/crds/{name} differs: {UPDATE}=1 cargo test --test crds writes it anew"
        );
    }
}
