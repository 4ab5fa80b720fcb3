{{/* What more than one template needs. */}}

{{- define "eco-pulse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* The prefix of all names. Short enough for the longest suffix. */}}
{{- define "eco-pulse.fullname" -}}
{{- $name := include "eco-pulse.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* Labels of every object. */}}
{{- define "eco-pulse.labels" -}}
app.kubernetes.io/name: {{ include "eco-pulse.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: eco-pulse
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.extraLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
What selects the pods of a component; call with (list $ "webhook"). Never changes, as selectors cannot. Redis is another program,
and has another name, so that what selects Eco-Pulse does not select it.
*/}}
{{- define "eco-pulse.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ ternary "redis" (include "eco-pulse.name" $root) (eq (index . 1) "redis") }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* What selects all processes that have metrics. */}}
{{- define "eco-pulse.metricsSelector" -}}
app.kubernetes.io/name: {{ include "eco-pulse.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Metadata labels of a pod of a component: its own, then the user's; call as the selector. */}}
{{- define "eco-pulse.podLabels" -}}
{{- $root := index . 0 -}}
{{- $own := include "eco-pulse.selector" . | fromYaml -}}
{{- $component := index $root.Values (index . 1) -}}
{{- toYaml (merge $own $component.podLabels $root.Values.extraLabels) -}}
{{- end }}

{{- define "eco-pulse.imageOf" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default (index . 1) $image.tag }}
{{- end -}}
{{- end }}

{{/* Whether processes share a store: without one a single process does everything. */}}
{{- define "eco-pulse.shares" -}}
{{- if or .Values.redis.enabled .Values.redis.external.url }}true{{ end -}}
{{- end }}

{{/* The Secret with Redis' password, if there is one. */}}
{{- define "eco-pulse.redisSecret" -}}
{{- if not .Values.redis.enabled -}}
{{- .Values.redis.external.existingSecret -}}
{{- else if .Values.redis.auth.enabled -}}
{{- default (printf "%s-redis" (include "eco-pulse.fullname" .)) .Values.redis.auth.existingSecret -}}
{{- end -}}
{{- end }}

{{- define "eco-pulse.tlsSecret" -}}
{{- if eq .Values.tls.mode "secret" -}}
{{- .Values.tls.existingSecret -}}
{{- else -}}
{{- printf "%s-tls" (include "eco-pulse.fullname" .) -}}
{{- end -}}
{{- end }}

{{- define "eco-pulse.canaryNamespace" -}}
{{- default (printf "%s-canary" (include "eco-pulse.fullname" .)) .Values.canary.namespace -}}
{{- end }}

{{/* The ServiceAccount of the process that collects. */}}
{{- define "eco-pulse.controllerAccount" -}}
{{- include "eco-pulse.fullname" . }}-{{ ternary "controller" "webhook" (eq (include "eco-pulse.shares" .) "true") -}}
{{- end }}

{{/* The file eco-pulse.yaml: what the user says, and what the chart knows better. */}}
{{- define "eco-pulse.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if eq .Values.tls.mode "managed" -}}
{{- $_ := set $config "tls" (dict "mode" "managed") -}}
{{- end -}}
{{- if include "eco-pulse.shares" . -}}
{{- $redis := dict -}}
{{- if .Values.redis.enabled -}}
{{- $user := ternary "eco-pulse@" "" .Values.redis.auth.enabled -}}
{{- $_ := set $redis "url" (printf "redis://%s%s-redis.%s.svc:6379" $user (include "eco-pulse.fullname" .) .Release.Namespace) -}}
{{- else -}}
{{- $_ := set $redis "url" .Values.redis.external.url -}}
{{- if .Values.redis.external.caSecret -}}
{{- $_ := set $redis "caFile" "/var/run/secrets/eco-pulse/redis-ca.crt" -}}
{{- end -}}
{{- end -}}
{{- if include "eco-pulse.redisSecret" . -}}
{{- $_ := set $redis "passwordFile" "/var/run/secrets/eco-pulse/redis-password" -}}
{{- end -}}
{{- $_ := set $config "store" (dict "redis" $redis) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{/* Environment of both processes. */}}
{{- define "eco-pulse.env" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- end }}

{{/* Environment of the process that keeps the certificate and sends the canary. */}}
{{- define "eco-pulse.controllerEnv" -}}
- name: ECO_PULSE_SERVICE
  value: {{ include "eco-pulse.fullname" . }}-webhook
- name: ECO_PULSE_TLS_SECRET
  value: {{ include "eco-pulse.tlsSecret" . }}
- name: ECO_PULSE_WEBHOOK_CONFIGURATION
  value: {{ include "eco-pulse.fullname" . }}
{{- if .Values.canary.enabled }}
- name: ECO_PULSE_CANARY_NAMESPACE
  value: {{ include "eco-pulse.canaryNamespace" . }}
{{- end }}
{{- end }}

{{/* Of a container: what PodSecurity `restricted` asks for, and a root that cannot be written to. */}}
{{- define "eco-pulse.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Of a pod; call with the user's number. */}}
{{- define "eco-pulse.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
# So that the process may read what is mounted for its group only.
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Probes of both processes: alive is not ready. Old grid data, or a Redis that is away, end neither. */}}
{{- define "eco-pulse.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: admin}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: admin}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: admin}
  periodSeconds: 5
  timeoutSeconds: 2
{{- end }}

{{/* Mounts of both processes. Directories, never subPath: kubelet swaps a directory's link and leaves a subPath as it is. */}}
{{- define "eco-pulse.mounts" -}}
- name: config
  mountPath: /etc/eco-pulse
  readOnly: true
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "eco-pulse.volumes" -}}
- name: config
  configMap: {name: {{ include "eco-pulse.fullname" . }}-config}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
Secrets as files under /var/run/secrets/eco-pulse; call with (list $ collects). Empty when there are none. All are optional: a
process that starts without one says which it lacks, and goes on with what it has; a pod that waits for one says nothing.
*/}}
{{- define "eco-pulse.secretSources" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
{{- $external := $values.redis.external -}}
{{- with include "eco-pulse.redisSecret" $root }}
- secret:
    name: {{ . }}
    optional: true
    items: [{key: {{ ternary "redis-password" $external.existingSecretKey $values.redis.enabled }}, path: redis-password}]
{{- end }}
{{- if and (not $values.redis.enabled) $external.url $external.caSecret }}
- secret:
    name: {{ $external.caSecret }}
    optional: true
    items: [{key: {{ $external.caSecretKey }}, path: redis-ca.crt}]
{{- end }}
{{- if and (index . 1) $values.electricityMaps.existingSecret }}
- secret:
    name: {{ $values.electricityMaps.existingSecret }}
    optional: true
    items: [{key: {{ $values.electricityMaps.existingSecretKey }}, path: electricity-maps-token}]
{{- end }}
{{- end }}

{{/* Where a component's pods may run; call with its values. */}}
{{- define "eco-pulse.scheduling" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
