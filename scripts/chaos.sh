#!/usr/bin/env bash
# The unplug test: one thing after the other is broken while pods keep coming, and no pod may be refused, changed wrongly, or held up
# for longer than its budget. Ends with 1 if one was.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/chaos.sh [--list] [FAULT...]
       scripts/chaos.sh --kind [--context NAME] [--namespace NAME] [--release NAME]

Without --kind, on this machine alone: the optimised program, a real Redis, a grid API and a Kubernetes
API server on loopback, and callers that behave as kube-apiserver and kube-scheduler do. Prints for each
fault what was broken, sent, answered and counted, then a table. Needs Rust; without redis-server the
faults of Redis are skipped, without libfaketime those of the clock.

  FAULT            only faults whose names contain this, e.g. Redis
  --list           the faults there are
  --kind           on a live cluster, into which Eco-Pulse is installed by its chart: a Deployment is
                   scaled up while the webhook has no replicas, no network, or no Redis. Needs kubectl
  --context NAME   its kubeconfig context (default: the current one)
  --namespace NAME where Eco-Pulse is (default: eco-pulse)
  --release NAME   what it is called there (default: eco-pulse)

Examples:
  scripts/chaos.sh
  scripts/chaos.sh Redis "grid API"
  scripts/chaos.sh --kind --context kind-eco-pulse

Budgets: 190 ms while the server answers at all; 1 s for the API server and 250 ms for each call of the
scheduler when it is gone or hung.
USAGE
}

kind=false
context=()
namespace=eco-pulse
release=eco-pulse
arguments=()
while (($#)); do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --kind) kind=true; shift ;;
    --context | --namespace | --release)
      if [[ -z ${2:-} ]]; then
        echo "scripts/chaos.sh: $1 needs a name" >&2
        exit 2
      fi
      case "$1" in
        --context) context=(--context "$2") ;;
        --namespace) namespace="$2" ;;
        --release) release="$2" ;;
      esac
      shift 2
      ;;
    --list) arguments+=("$1"); shift ;;
    -*) echo "scripts/chaos.sh: unknown argument \"$1\"" >&2; usage >&2; exit 2 ;;
    *) arguments+=("$1"); shift ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! $kind; then
  exec cargo test --quiet --release --test chaos -- --timed "${arguments[@]}"
fi

source scripts/chaos-kind.sh
