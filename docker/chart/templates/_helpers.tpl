{{- define "workflow-worker.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "workflow-worker.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "workflow-worker.labels" -}}
{{ include "workflow-worker.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "workflow-worker.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* The Secret with the URLs and keys: yours, or the chart's. */}}
{{- define "workflow-worker.secret" -}}
{{- if .Values.existingSecret }}{{ .Values.existingSecret }}
{{- else if .Values.secrets }}{{ include "workflow-worker.fullname" . }}
{{- else }}{{ fail "existingSecret names a Secret with DATABASE_URL, or secrets has it" }}{{ end }}
{{- end }}

{{- /* Nine tenths of the container's limit: what the collector doesn't count needs room, too. */}}
{{- define "workflow-worker.gomemlimit" -}}
{{- $limit := .Values.resources.limits.memory }}
{{- if hasSuffix "Gi" $limit }}{{ div (mul (trimSuffix "Gi" $limit | int64) 1024 9) 10 }}MiB
{{- else }}{{ div (mul (trimSuffix "Mi" $limit | int64) 9) 10 }}MiB{{ end }}
{{- end }}

{{- define "workflow-worker.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "workflow-worker.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
