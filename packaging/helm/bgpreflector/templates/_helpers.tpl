{{- define "bgpreflector.name" -}}
{{- if eq .Release.Name .Chart.Name -}}
{{- .Chart.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "bgpreflector.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bgpreflector.labels" -}}
{{ include "bgpreflector.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "bgpreflector.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "bgpreflector.file" -}}
{{ if .Values.contivConfig }}contiv.conf{{ else }}bgpreflector.toml{{ end }}
{{- end }}

{{- define "bgpreflector.metricsAddress" -}}
{{- if contains ":" .Values.metrics.address -}}
[{{ .Values.metrics.address }}]:{{ .Values.metrics.port }}
{{- else -}}
{{ .Values.metrics.address }}:{{ .Values.metrics.port }}
{{- end -}}
{{- end }}

{{/* What the kubelet asks, for the path that is given as `path`. A daemon whose VPP or kernel is not ready (4, 5, 6) is
     live, as at /-/healthy; one that hangs (1) or does not answer (7) is not. */}}
{{- define "bgpreflector.probe" -}}
{{- $values := .root.Values -}}
{{- if $values.contivConfig -}}
exec:
  {{- if .ready }}
  command: [bgpreflector, status, --check]
  {{- else }}
  command: [/bin/sh, -c, "bgpreflector status --check; case $? in 0|4|5|6) ;; *) exit 1 ;; esac"]
  {{- end }}
{{- else -}}
httpGet:
  host: {{ get (dict "0.0.0.0" "127.0.0.1" "::" "::1") $values.metrics.address | default $values.metrics.address | quote }}
  path: {{ .path }}
  port: metrics
{{- end -}}
{{- end }}

{{- define "bgpreflector.rights" -}}
{{- if .Values.root -}}
runAsUser: 0
runAsGroup: 0
{{- else -}}
runAsUser: 65532
runAsGroup: 65532
runAsNonRoot: true
{{- end }}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
{{- end }}
