#!/usr/bin/env bash
# Makes a certificate for the webhook's Service, for `tls.mode: secret`: an authority, a certificate for one year, its key. For real
# use prefer `managed` (the default) or `cert-manager`, which renew.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/gen-certs.sh [--dir DIR] [--service NAME] [--namespace NAME] [--host NAME ...] [--secret NAME]

  --dir DIR         where the files go; must not hold any yet (default: certs)
  --service NAME    the webhook's Service (default: eco-pulse-webhook)
  --namespace NAME  its namespace (default: eco-pulse)
  --host NAME       a further DNS name or IP address; may be repeated
  --secret NAME     print a Secret with certificate and key, for `kubectl apply -f -`

Uses $ECO_PULSE, else eco-pulse from the PATH, else builds it.

  scripts/gen-certs.sh --dir certs/cluster --secret eco-pulse-serving | kubectl apply -f -
  helm upgrade --install eco-pulse deploy/chart/eco-pulse --namespace eco-pulse --set tls.mode=secret \
    --set tls.existingSecret=eco-pulse-serving --set tls.caBundle="$(base64 <certs/cluster/ca.crt | tr -d '\n')"
USAGE
}

# value FLAG VALUE: a flag's value, which has to be there.
value() {
  if [[ -z ${2:-} ]]; then
    echo "scripts/gen-certs.sh: $1 needs a value" >&2
    usage >&2
    exit 2
  fi
  printf '%s' "$2"
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
dir="$root/certs" service=eco-pulse-webhook namespace=eco-pulse secret="" hosts=()
while (($#)); do
  case "$1" in
    --dir) dir="$(value "$1" "${2:-}")"; shift 2 ;;
    --service) service="$(value "$1" "${2:-}")"; shift 2 ;;
    --namespace) namespace="$(value "$1" "${2:-}")"; shift 2 ;;
    --host) hosts+=("$(value "$1" "${2:-}")"); shift 2 ;;
    --secret) secret="$(value "$1" "${2:-}")"; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "scripts/gen-certs.sh: unknown argument \"$1\"" >&2; usage >&2; exit 2 ;;
  esac
done

# What the API server calls it, and what people and schedulers may.
hosts=("$service.$namespace.svc" "$service.$namespace.svc.cluster.local" "$service.$namespace" "${hosts[@]}")

if [[ -n ${ECO_PULSE:-} ]]; then
  program=("$ECO_PULSE")
elif command -v eco-pulse >/dev/null; then
  program=(eco-pulse)
else
  program=(cargo run --quiet --locked --manifest-path "$root/Cargo.toml" --)
fi

arguments=(certs generate --dir "$dir")
for host in "${hosts[@]}"; do
  arguments+=(--host "$host")
done
# Standard output is the Secret's, so that it can be piped.
"${program[@]}" "${arguments[@]}" >&2

if [[ -n $secret ]]; then
  in_base64() { base64 <"$1" | tr -d '\n'; }
  cat <<SECRET
apiVersion: v1
kind: Secret
metadata:
  name: $secret
  namespace: $namespace
type: kubernetes.io/tls
data:
  tls.crt: $(in_base64 "$dir/tls.crt")
  tls.key: $(in_base64 "$dir/tls.key")
SECRET
fi
