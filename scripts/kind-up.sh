#!/usr/bin/env bash
# A cluster on this machine that believes to be in three regions, with Eco-Pulse, Prometheus, Grafana and something to place.
# May be run again at any time: what is there is brought up to date, the demonstration's jobs start anew.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/kind-up.sh [--no-forward | --down]

  --no-forward   open no ports on this machine
  --down         close the ports and delete the cluster

Needs docker, kind, kubectl and helm. Ports on 127.0.0.1: Grafana 3000, Prometheus 9090, Eco-Pulse 8080; others with
GRAFANA_PORT, PROMETHEUS_PORT, ECO_PULSE_PORT. CLUSTER names the cluster (default: eco-pulse), NODE_IMAGE its Kubernetes.
USAGE
}

forward=true down=false
case "${1:-}" in
  "") ;;
  --no-forward) forward=false ;;
  --down) down=true ;;
  -h | --help) usage; exit 0 ;;
  *) echo "scripts/kind-up.sh: unknown argument \"$1\"" >&2; usage >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cluster="${CLUSTER:-eco-pulse}"
grafana_port="${GRAFANA_PORT:-3000}"
prometheus_port="${PROMETHEUS_PORT:-9090}"
eco_pulse_port="${ECO_PULSE_PORT:-8080}"
# Process ids and logs of the port-forwards.
state="target/kind-$cluster"

missing=()
for tool in docker kind kubectl helm; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if ((${#missing[@]})); then
  echo "scripts/kind-up.sh: not installed: ${missing[*]}" >&2
  echo "  kind: https://kind.sigs.k8s.io  helm: https://helm.sh  kubectl: https://kubernetes.io/docs/tasks/tools" >&2
  exit 1
fi
if ! docker info >/dev/null 2>&1; then
  echo "scripts/kind-up.sh: docker does not answer: start it, or add yourself to its group" >&2
  exit 1
fi

say() { printf '\n==> %s\n' "$*"; }
# This cluster and no other, wherever kubectl points to.
k() { kubectl --context "kind-$cluster" "$@"; }

# Ends the port-forwards that an earlier run left, and nothing that merely has the number of one.
close_ports() {
  local file pid
  for file in "$state"/*.pid; do
    [[ -e $file ]] || continue
    pid="$(<"$file")"
    if [[ "$(ps -o args= -p "$pid" 2>/dev/null || true)" == *port-forward* ]]; then
      kill "$pid" 2>/dev/null || true
    fi
    rm -f "$file"
  done
}

# open_port NAME NAMESPACE TARGET LOCAL REMOTE
open_port() {
  # kubectl ends when the pod goes; the loop asks for the next one. The inner shell expands its own arguments.
  # shellcheck disable=SC2016
  nohup bash -c 'trap "kill \$! 2>/dev/null" EXIT; trap "exit 0" TERM
    while true; do kubectl --context "$0" -n "$1" port-forward --address 127.0.0.1 "$2" "$3" & wait $! || sleep 1; done' \
    "kind-$cluster" "$2" "$3" "$4:$5" >"$state/$1.log" 2>&1 </dev/null &
  echo $! >"$state/$1.pid"
}

if $down; then
  close_ports
  kind delete cluster --name "$cluster"
  exit 0
fi

mkdir -p "$state"
close_ports

say "image"
docker build --tag eco-pulse:kind .
# Its own content is its tag, so that a changed image is a changed Deployment, and the same one is not.
id="$(docker image inspect --format '{{.Id}}' eco-pulse:kind)"
tag="kind-${id#sha256:}"
tag="${tag:0:17}"
docker tag eco-pulse:kind "eco-pulse:$tag"

say "cluster $cluster"
if kind get clusters 2>/dev/null | grep -qx "$cluster"; then
  echo "is there"
else
  kind create cluster --name "$cluster" --config deploy/kind/cluster.yaml ${NODE_IMAGE:+--image "$NODE_IMAGE"} --wait 3m
fi
kind load docker-image "eco-pulse:$tag" --name "$cluster"

say "Eco-Pulse"
helm upgrade --install eco-pulse deploy/chart/eco-pulse --kube-context "kind-$cluster" --namespace eco-pulse --create-namespace \
  --values deploy/kind/values.yaml --set image.tag="$tag" --wait --timeout 6m

say "Prometheus and Grafana"
# Before what mounts them: Prometheus reads its rules when it starts.
k get namespace monitoring >/dev/null 2>&1 || k create namespace monitoring
# config_map NAME FILE...: not by a plain `apply`, whose copy of it in an annotation may be at most 256 KiB.
config_map() {
  local name="$1"
  shift
  k create configmap "$name" --namespace monitoring "${@/#/--from-file=}" --dry-run=client --output yaml |
    k apply --server-side --force-conflicts --filename -
}
config_map dashboards dashboards/*.json
config_map rules dashboards/rules.yaml
k apply --server-side --force-conflicts --filename deploy/kind/monitoring.yaml
# One that ran before has the rules that it read then.
k --namespace monitoring rollout restart deployment/prometheus
k --namespace monitoring rollout status deployment/prometheus --timeout 5m
k --namespace monitoring rollout status deployment/grafana --timeout 5m

say "workloads"
# A job cannot be changed, and pods are placed once.
for namespace in shop legacy records; do
  k --namespace "$namespace" delete job nightly-report --ignore-not-found
done
k apply --filename deploy/kind/workloads.yaml
k --namespace shop rollout status deployment/web --timeout 3m

if $forward; then
  say "ports"
  open_port grafana monitoring service/grafana "$grafana_port" 3000
  open_port prometheus monitoring service/prometheus "$prometheus_port" 9090
  open_port eco-pulse eco-pulse deployment/eco-pulse-controller "$eco_pulse_port" 8080
  cat <<OPEN
    Grafana     http://localhost:$grafana_port
    Prometheus  http://localhost:$prometheus_port
    Eco-Pulse   http://localhost:$eco_pulse_port/snapshot
OPEN
fi

cat <<LOOK

==> look

Where the pods went (shop: north; legacy, which opted out: anywhere; records, whose policy forbids the north: west):
    kubectl --context kind-$cluster get pods -A -o wide -l 'app in (web, nightly-report)'
    kubectl --context kind-$cluster get nodes -L topology.kubernetes.io/region
Why:
    kubectl --context kind-$cluster -n shop get pods -l app=nightly-report -o jsonpath='{.items[0].metadata.annotations}'
    kubectl --context kind-$cluster -n eco-pulse logs deployment/eco-pulse-webhook | grep decision_id
Make another region green, and start the jobs anew:
    curl -X PUT localhost:$eco_pulse_port/mock/us-east-1 -d low
    scripts/kind-up.sh
Pull the plug; pods are still admitted:
    kubectl --context kind-$cluster -n eco-pulse scale deployment/eco-pulse-webhook --replicas 0
Remove everything:
    scripts/kind-up.sh --down
LOOK
