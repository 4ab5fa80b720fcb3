#!/usr/bin/env bash
# Renders deploy/eco-pulse.yaml, for `kubectl apply -f`, from the chart and deploy/eco-pulse.values.yaml. The same chart in gives
# the same bytes out. Needs Helm 3.10 or later: $HELM, or `helm` in the PATH.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/render.sh [--stdout]

  --stdout   print the manifest; write nothing
USAGE
}

to_stdout=false
case "${1:-}" in
  "") ;;
  --stdout) to_stdout=true ;;
  -h | --help) usage; exit 0 ;;
  *) echo "scripts/render.sh: unknown argument \"$1\"" >&2; usage >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."

helm="${HELM:-helm}"
if ! command -v "$helm" >/dev/null; then
  echo "scripts/render.sh: no Helm ($helm): install it, or name it in HELM" >&2
  exit 1
fi

# Labels that say Helm installed it would be untrue.
render() {
  "$helm" template eco-pulse deploy/chart/eco-pulse --namespace eco-pulse --kube-version 1.30.0 \
    --values deploy/eco-pulse.values.yaml "$@" |
    sed -e '/^ *helm\.sh\/chart: /d' -e 's/\(app\.kubernetes\.io\/managed-by\): Helm$/\1: kubectl/' -e '/^# Source: /d'
}

manifest() {
  cat <<'HEAD'
# Eco-Pulse for `kubectl apply -f`. Generated from deploy/chart/eco-pulse by scripts/render.sh: change that, not this.
#
# Push the image that the Dockerfile builds and put its name for `eco-pulse:VERSION`, or use the chart. docs/install.md says how to
# go on. It starts in mode shadow: nothing is changed until you say so in the ConfigMap eco-pulse-config.
apiVersion: v1
kind: Namespace
metadata:
  name: eco-pulse
  labels:
    app.kubernetes.io/name: eco-pulse
    app.kubernetes.io/part-of: eco-pulse
    pod-security.kubernetes.io/enforce: restricted
HEAD
  # Definitions before all that may use them.
  if compgen -G 'deploy/chart/eco-pulse/files/crds/*.yaml' >/dev/null; then
    render --show-only templates/crds.yaml
  fi
  render --set crds.install=false
}

if $to_stdout; then
  manifest
else
  # Whole or not at all: a rendering that fails leaves the old file.
  text="$(manifest)"
  printf '%s\n' "$text" >deploy/eco-pulse.yaml
  echo "wrote deploy/eco-pulse.yaml ($(grep -c '^kind: ' deploy/eco-pulse.yaml) objects)"
fi
