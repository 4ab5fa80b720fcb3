# The part of scripts/chaos.sh that works on a live cluster; sourced by it, with context, namespace and release set.
#
# For each fault: something of Eco-Pulse is taken away, a Deployment is scaled up meanwhile, and every pod has to be created, none
# refused, each within the API server's time-out of 1 s for the webhook. Then what was taken away comes back.

# Pods of each trial, and how long the control plane itself may take for all of them beside the webhook's time-outs.
readonly pods=10
readonly usual_s=20
readonly trial_namespace="chaos-$RANDOM$RANDOM"
# Nothing runs in it; all that counts is that it is created.
readonly image=registry.k8s.io/pause:3.10

if ! command -v kubectl >/dev/null; then
  echo "scripts/chaos.sh: --kind needs kubectl: https://kubernetes.io/docs/tasks/tools" >&2
  exit 1
fi
k() { kubectl "${context[@]}" "$@"; }
ours() { k -n "$namespace" "$@"; }

webhook_replicas="$(ours get deployment "$release-webhook" -o jsonpath='{.spec.replicas}')"
controller_replicas="$(ours get deployment "$release-controller" -o jsonpath='{.spec.replicas}')"

# What the installed NetworkPolicies allow adds up with any other one, so that they have to go for the time.
saved="$(mktemp)"

cut_off() {
  # cut_off NAME DIRECTION: nothing goes in, or out, any more. Needs a network plugin that enforces NetworkPolicies.
  local of_release=(networkpolicy -l "app.kubernetes.io/instance=$release")
  ours get "${of_release[@]}" -o yaml | grep -vE '^ +(resourceVersion|uid|creationTimestamp|generation):' >"$saved"
  ours delete "${of_release[@]}" --ignore-not-found
  ours apply -f - <<POLICY
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: $1}
spec: {podSelector: {matchLabels: {app.kubernetes.io/instance: $release}}, policyTypes: [$2]}
POLICY
}

put_back() {
  if [[ -s $saved ]]; then
    ours apply -f "$saved" >/dev/null
    : >"$saved"
  fi
  ours delete networkpolicy chaos-in chaos-out --ignore-not-found >/dev/null
  ours scale deployment "$release-webhook" --replicas="$webhook_replicas" >/dev/null
  ours scale deployment "$release-controller" --replicas="$controller_replicas" >/dev/null
}

clean_up() {
  put_back
  k delete namespace "$trial_namespace" --wait=false --ignore-not-found >/dev/null
  rm -f "$saved"
}
trap clean_up EXIT

fail_opens() {
  # What the webhook's replicas have counted so far; a replica that is gone counts nothing.
  local pod total=0 counted
  for pod in $(ours get pods -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=webhook" -o name); do
    counted="$(k get --raw "/api/v1/namespaces/$namespace/pods/${pod#pod/}:8080/proxy/metrics" 2>/dev/null |
      awk '/^eco_pulse_fail_open_total/ {sum += $2} END {print sum + 0}')"
    total=$((total + ${counted:-0}))
  done
  echo "$total"
}

failed=()
rows=()

# trial NAME WHAT-IS-BROKEN: breaks it by break_NAME, scales up, judges, mends by mend_NAME.
trial() {
  local name="$1" broken="$2" before after started took created refused
  printf '\n%s\n  broken    %s\n' "$name" "$broken"
  before="$(fail_opens)"
  "break_$name"
  k -n "$trial_namespace" scale deployment unplugged --replicas="$pods" >/dev/null
  started=$SECONDS
  while :; do
    created="$(k -n "$trial_namespace" get pods -l app=unplugged -o name | wc -l)"
    took=$((SECONDS - started))
    ((created >= pods || took > pods + usual_s)) && break
    read -r -t 0.2 <> <(:) || true
  done
  refused="$(k -n "$trial_namespace" get events --field-selector reason=FailedCreate -o name | wc -l)"
  after="$(fail_opens)"
  printf '  sent      %d pods\n  came back %d created, %d refused, in %d s\n  counted   %s -> %s\n' \
    "$pods" "$created" "$refused" "$took" "$before" "$after"
  if ((created < pods || refused > 0 || took > pods + usual_s)); then
    failed+=("$name")
  fi
  rows+=("$(printf '%-16s %9d %9d %7d s' "$name" "$created" "$refused" "$took")")
  "mend_$name"
  k -n "$trial_namespace" scale deployment unplugged --replicas=0 >/dev/null
  k -n "$trial_namespace" wait --for=delete pod -l app=unplugged --timeout=120s >/dev/null
  ours rollout status deployment "$release-webhook" --timeout=180s >/dev/null
}

break_nothing() { :; }
mend_nothing() { :; }
break_webhook_gone() {
  ours scale deployment "$release-webhook" --replicas=0 >/dev/null
  ours wait --for=delete pod -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=webhook" --timeout=120s >/dev/null
}
mend_webhook_gone() { put_back; }
break_webhook_cut() { cut_off chaos-in Ingress >/dev/null; }
mend_webhook_cut() { put_back; }
break_egress_cut() { cut_off chaos-out Egress >/dev/null; }
mend_egress_cut() { put_back; }
break_redis_gone() {
  ours delete pod -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=redis" --wait=false >/dev/null
}
mend_redis_gone() { :; }
break_controller() { ours scale deployment "$release-controller" --replicas=0 >/dev/null; }
mend_controller() { put_back; }

k create namespace "$trial_namespace" >/dev/null
k -n "$trial_namespace" apply -f - >/dev/null <<DEPLOYMENT
apiVersion: apps/v1
kind: Deployment
metadata: {name: unplugged}
spec:
  replicas: 0
  selector: {matchLabels: {app: unplugged}}
  template:
    metadata: {labels: {app: unplugged}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: pause, image: $image, resources: {requests: {cpu: 10m, memory: 8Mi}}}
DEPLOYMENT

trial nothing "nothing: how long the control plane itself takes"
trial webhook_gone "the webhook has no replicas"
trial webhook_cut "no packet reaches Eco-Pulse"
trial egress_cut "no packet leaves Eco-Pulse: no grid API, no Redis, no API server"
trial redis_gone "Redis is deleted"
trial controller "the controller has no replicas"

printf '\n%-16s %9s %9s %9s\n' FAULT created refused took
printf '%s\n' "${rows[@]}"
if ((${#failed[@]})); then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
