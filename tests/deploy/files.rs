//! What is generated is as generated, and scripts are scripts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::helm::{chart, helm, root};

fn contents(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|file| {
            (file.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&file).unwrap())
        })
        .collect()
}

/// Helm cannot read what lies outside a chart.
#[test]
fn the_chart_ships_the_definitions_that_the_program_generates() {
    let generated = contents(&root().join("deploy/crds"));
    assert_eq!(generated.len(), 2);
    assert!(
        contents(&chart().join("files/crds")) == generated,
        "cp deploy/crds/*.yaml deploy/chart/eco-pulse/files/crds/ && scripts/render.sh"
    );
}

#[test]
fn the_committed_manifest_is_as_the_chart_renders_it() {
    let Some(helm) = helm() else { return };
    let output = Command::new("bash")
        .args(["scripts/render.sh", "--stdout"])
        .env("HELM", helm)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rendered = String::from_utf8(output.stdout).unwrap();
    let committed = std::fs::read_to_string(root().join("deploy/eco-pulse.yaml")).unwrap();
    assert!(rendered.trim_end() == committed.trim_end(), "scripts/render.sh writes it anew");
}

#[test]
fn scripts_are_read_by_bash() {
    for entry in std::fs::read_dir(root().join("scripts")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "sh") {
            let output = Command::new("bash").arg("-n").arg(&file).output().unwrap();
            assert!(
                output.status.success(),
                "{}: {}",
                file.display(),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}
