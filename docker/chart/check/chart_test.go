// Package check renders the chart with Helm and reads the result strictly as Kubernetes' own types:
// a field that they don't know is an error. `make chart` runs it.
package check

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

type values = map[string]any

var withSecret = values{"existingSecret": "workflow-worker-urls"}

// rendered are a release's objects by kind and name.
type rendered map[string]any

// kinds makes an empty object of each kind that the chart may have.
var kinds = map[string]func() any{
	"v1 ServiceAccount":                       func() any { return new(core.ServiceAccount) },
	"v1 Service":                              func() any { return new(core.Service) },
	"v1 Secret":                               func() any { return new(core.Secret) },
	"v1 ConfigMap":                            func() any { return new(core.ConfigMap) },
	"apps/v1 Deployment":                      func() any { return new(apps.Deployment) },
	"batch/v1 Job":                            func() any { return new(batch.Job) },
	"policy/v1 PodDisruptionBudget":           func() any { return new(policy.PodDisruptionBudget) },
	"autoscaling/v2 HorizontalPodAutoscaler":  func() any { return new(autoscaling.HorizontalPodAutoscaler) },
	"monitoring.coreos.com/v1 ServiceMonitor": func() any { return new(monitoring.ServiceMonitor) },
	"monitoring.coreos.com/v1 PrometheusRule": func() any { return new(monitoring.PrometheusRule) },
}

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render does what `helm install` does before it asks a cluster.
func render(c *chart.Chart, release string, over ...values) (rendered, error) {
	all := values{}
	for _, o := range over {
		maps.Copy(all, o)
	}
	v, err := chartutil.ToRenderValues(c, all, chartutil.ReleaseOptions{Name: release, Namespace: "workflows", IsInstall: true}, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, v)
	if err != nil {
		return nil, err
	}
	out := rendered{}
	for name, text := range files {
		if path.Ext(name) != ".yaml" {
			continue
		}
		for _, document := range regexp.MustCompile(`(?m)^---\s*$`).Split(text, -1) {
			if strings.TrimSpace(document) == "" {
				continue
			}
			if err := out.add(document); err != nil {
				return nil, fmt.Errorf("%s: %w in\n%s", name, err, document)
			}
		}
	}
	return out, nil
}

func (r rendered) add(document string) error {
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(document), &head); err != nil {
		return err
	}
	if head.Kind == "" {
		return nil // only comments
	}
	create := kinds[head.APIVersion+" "+head.Kind]
	if create == nil {
		return fmt.Errorf("unknown: %s %s", head.APIVersion, head.Kind)
	}
	object := create()
	if err := yaml.UnmarshalStrict([]byte(document), object); err != nil {
		return err
	}
	if faults := validation.IsDNS1123Label(head.Metadata.Name); len(faults) > 0 {
		return fmt.Errorf("name %q: %v", head.Metadata.Name, faults)
	}
	key := head.Kind + " " + head.Metadata.Name
	if r[key] != nil {
		return errors.New("twice: " + key)
	}
	r[key] = object
	return nil
}

// must is render for what has to work; the release is named "demo".
func must(t *testing.T, over ...values) rendered {
	t.Helper()
	r, err := render(load(t), "demo", over...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func get[T any](t *testing.T, r rendered, key string) *T {
	t.Helper()
	object, ok := r[key].(*T)
	if !ok {
		t.Fatalf("no %s among %v", key, slices.Sorted(maps.Keys(r)))
	}
	return object
}

const name = "demo-workflow-worker"

// everything turns on all that is off by default.
var everything = values{
	"secrets":         values{"DATABASE_URL": "postgres://u:p@db/w", "MIGRATION_DATABASE_URL": "postgres://o:p@db/w", "TEMPORAL_API_KEY": "k", "PAYLOAD_ENCRYPTION_KEYS": "a:b"},
	"encryptPayloads": true,
	"migration":       "job",
	"autoscaling":     values{"enabled": true},
	"serviceMonitor":  values{"enabled": true, "labels": values{"release": "prometheus"}},
	"prometheusRule":  values{"enabled": true, "labels": values{"release": "prometheus"}},
	"dashboards":      values{"enabled": true},
	"modules":         values{"volume": values{"persistentVolumeClaim": values{"claimName": "packages"}}},
	"podLabels":       values{"team": "a"}, "podAnnotations": values{"note": "b"}, "nodeSelector": values{"disk": "ssd"},
	"imagePullSecrets": []any{values{"name": "registry"}},
	"tolerations":      []any{values{"key": "dedicated", "operator": "Exists"}},
	"affinity":         values{"nodeAffinity": values{}},
	"serviceAccount":   values{"annotations": values{"cloud": "role"}},
}

func TestTheDefaultsMakeWhatIsNeededAndNoMore(t *testing.T) {
	want := []string{"Deployment " + name, "PodDisruptionBudget " + name, "Service " + name, "ServiceAccount " + name}
	if got := slices.Sorted(maps.Keys(must(t, withSecret))); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEverythingTurnedOnIsWhatKubernetesKnows(t *testing.T) {
	got := slices.Sorted(maps.Keys(must(t, everything)))
	want := []string{
		"ConfigMap " + name + "-changes", "ConfigMap " + name + "-fleet", "ConfigMap " + name + "-javascript", "ConfigMap " + name + "-latencies", "ConfigMap " + name + "-project",
		"Deployment " + name, "HorizontalPodAutoscaler " + name, "Job " + name + "-migrate", "PodDisruptionBudget " + name,
		"PrometheusRule " + name, "Secret " + name, "Service " + name, "ServiceAccount " + name, "ServiceMonitor " + name,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v,\nwant %v", got, want)
	}
}

func TestAPodStopsAfterTheServiceAndKeepsWithinItsMemory(t *testing.T) {
	d := get[apps.Deployment](t, must(t, withSecret, values{"shutdownTimeoutSeconds": 120,
		"resources": values{"limits": values{"memory": "512Mi"}}}), "Deployment "+name)
	pod := d.Spec.Template.Spec
	env := environment(pod)
	if *pod.TerminationGracePeriodSeconds != 130 || env["SHUTDOWN_TIMEOUT"] != "120s" {
		t.Errorf("%d s for a service that takes %s", *pod.TerminationGracePeriodSeconds, env["SHUTDOWN_TIMEOUT"])
	}
	if env["GOMEMLIMIT"] != "460MiB" {
		t.Errorf("GOMEMLIMIT is %s of 512 MiB", env["GOMEMLIMIT"])
	}
	limit := get[apps.Deployment](t, must(t, withSecret), "Deployment "+name).Spec.Template.Spec
	if got := environment(limit)["GOMEMLIMIT"]; got != "1843MiB" {
		t.Errorf("GOMEMLIMIT is %s of 2 GiB", got)
	}
}

func TestAPodMayDoNothingButRun(t *testing.T) {
	r := must(t, everything)
	for key, pod := range map[string]core.PodSpec{
		"service":   get[apps.Deployment](t, r, "Deployment "+name).Spec.Template.Spec,
		"migration": get[batch.Job](t, r, "Job "+name+"-migrate").Spec.Template.Spec,
	} {
		c := pod.Containers[0]
		switch {
		case !*pod.SecurityContext.RunAsNonRoot, *pod.SecurityContext.RunAsUser == 0,
			pod.SecurityContext.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault:
			t.Errorf("%s: %+v", key, pod.SecurityContext)
		case !*c.SecurityContext.ReadOnlyRootFilesystem, *c.SecurityContext.AllowPrivilegeEscalation,
			!slices.Equal(c.SecurityContext.Capabilities.Drop, []core.Capability{"ALL"}):
			t.Errorf("%s: %+v", key, c.SecurityContext)
		case *pod.AutomountServiceAccountToken:
			t.Errorf("%s sees a token of Kubernetes", key)
		case c.Resources.Limits.Memory().IsZero():
			t.Errorf("%s has no limit", key)
		}
	}
}

// Secrets come by reference, each from the Secret that there is.
func TestSecretsAreReferredTo(t *testing.T) {
	for secret, over := range map[string]values{"workflow-worker-urls": withSecret, name: everything} {
		pod := get[apps.Deployment](t, must(t, over), "Deployment "+name).Spec.Template.Spec
		found := 0
		for _, e := range pod.Containers[0].Env {
			if !slices.Contains([]string{"DATABASE_URL", "REPLICATION_DATABASE_URL", "TEMPORAL_API_KEY", "PAYLOAD_CODEC_AUTH"}, e.Name) {
				continue
			}
			found++
			ref := e.ValueFrom.SecretKeyRef
			if e.Value != "" || ref.Name != secret || ref.Key != e.Name || *ref.Optional != (e.Name != "DATABASE_URL") {
				t.Errorf("%s: %q %+v", e.Name, e.Value, ref)
			}
		}
		if found != 4 {
			t.Errorf("%d secrets", found)
		}
		mounted := slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool {
			return v.Secret != nil && v.Secret.SecretName == secret && v.Secret.Items[0].Key == "PAYLOAD_ENCRYPTION_KEYS" && v.Secret.Items[0].Path == "keys"
		})
		if wanted := secret == name; mounted != wanted || (environment(pod)["PAYLOAD_ENCRYPTION_KEYS_FILE"] == "/payloads/keys") != wanted {
			t.Errorf("keys for payloads are mounted: %v, want %v", mounted, wanted)
		}
	}
}

func TestTheSelectorsFindThePods(t *testing.T) {
	r := must(t, everything)
	d := get[apps.Deployment](t, r, "Deployment "+name)
	for what, selector := range map[string]map[string]string{
		"Deployment":          d.Spec.Selector.MatchLabels,
		"Service":             get[core.Service](t, r, "Service "+name).Spec.Selector,
		"PodDisruptionBudget": get[policy.PodDisruptionBudget](t, r, "PodDisruptionBudget "+name).Spec.Selector.MatchLabels,
	} {
		if len(selector) == 0 {
			t.Errorf("%s selects everything", what)
		}
		for key, value := range selector {
			if d.Spec.Template.Labels[key] != value {
				t.Errorf("%s: no pod has %s=%s", what, key, value)
			}
			if get[batch.Job](t, r, "Job "+name+"-migrate").Spec.Template.Labels["app.kubernetes.io/name"] == selector["app.kubernetes.io/name"] {
				t.Errorf("%s: the migration counts as the service", what)
			}
		}
	}
	monitor := get[monitoring.ServiceMonitor](t, r, "ServiceMonitor "+name)
	for key, value := range monitor.Spec.Selector.MatchLabels {
		if get[core.Service](t, r, "Service "+name).Labels[key] != value {
			t.Errorf("ServiceMonitor: the service has no %s=%s", key, value)
		}
	}
}

// What the chart sets is a setting of the service, and its probes are paths that it serves.
func TestTheChartSpeaksTheServicesLanguage(t *testing.T) {
	settings, err := os.ReadFile("../../../cmd/workflow-worker/README.md")
	if err != nil {
		t.Fatal(err)
	}
	health, err := os.ReadFile("../../../metrics/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pod := get[apps.Deployment](t, must(t, everything), "Deployment "+name).Spec.Template.Spec
	c := pod.Containers[0]
	for _, e := range c.Env {
		if e.Name != "GOMEMLIMIT" && !strings.Contains(string(settings), "`"+e.Name+"`") {
			t.Errorf("the service has no setting %s", e.Name)
		}
	}
	for _, probe := range []*core.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
		if !strings.Contains(string(health), "`"+probe.HTTPGet.Path+"`") {
			t.Errorf("the service has no %s", probe.HTTPGet.Path)
		}
	}
	if c.LivenessProbe.HTTPGet.Path != "/health/live" {
		t.Errorf("an outage elsewhere would restart it: %s", c.LivenessProbe.HTTPGet.Path)
	}
}

func TestTheRulesAndDashboardsAreThoseOfTheRepository(t *testing.T) {
	r := must(t, everything)
	var rules monitoring.PrometheusRuleSpec
	text, err := os.ReadFile("../../prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &rules); err != nil {
		t.Fatal(err)
	}
	if got := get[monitoring.PrometheusRule](t, r, "PrometheusRule "+name).Spec; len(got.Groups) == 0 || !reflect.DeepEqual(got, rules) {
		t.Errorf("the rule has %d groups, rules.yaml %d", len(got.Groups), len(rules.Groups))
	}
	dashboard, err := os.ReadFile("../../grafana/dashboards/fleet.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := get[core.ConfigMap](t, r, "ConfigMap "+name+"-fleet").Data["fleet.json"]; strings.TrimSpace(got) != strings.TrimSpace(string(dashboard)) {
		t.Errorf("the dashboard is %.200s…", got)
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for what, over := range map[string]values{
		"existingSecret names a Secret":   {},
		"secrets.DATABASE_URL is missing": {"secrets": values{"TEMPORAL_API_KEY": "k"}},
		"replica":                         {"replica": 3, "existingSecret": "s"},
		"memory":                          {"existingSecret": "s", "resources": values{"limits": values{"memory": "2G"}}},
		"migration":                       {"existingSecret": "s", "migration": "yes"},
		"DATABASE_URL":                    {"existingSecret": "s", "settings": values{"DATABASE_URL": "postgres://in.plain/text"}},
	} {
		if _, err := render(load(t), "demo", over); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v: %v, want %q", over, err, what)
		}
	}
}

// Numbers as they stand in a file of values: large ones, too, and what YAML would make something else.
func TestSettingsArriveAsTheyWereWritten(t *testing.T) {
	v, err := chartutil.ReadValues([]byte(`
existingSecret: s
settings:
  ACTIVITY_MAX_MEMORY: 268435456
  ACTIVITY_MAX_RESPONSE_BYTES: 10000000000
  CAPACITY: 0.25
  CELLS: 0
  HTTP_ALLOW_PRIVATE: yes
  CODE_RETENTION: 72h
  REPLICA_NAME: "007"
  HTTP_ALLOW: "10.0.0.0/8,127.0.0.1"
  OTEL_RESOURCE_ATTRIBUTES: 'team=a "b",note=c: d # e'
  LOG_LEVEL: ""
`))
	if err != nil {
		t.Fatal(err)
	}
	got := environment(get[apps.Deployment](t, must(t, v), "Deployment "+name).Spec.Template.Spec)
	for setting, want := range map[string]string{
		"ACTIVITY_MAX_MEMORY": "268435456", "ACTIVITY_MAX_RESPONSE_BYTES": "10000000000", "CAPACITY": "0.25", "CELLS": "0", "HTTP_ALLOW_PRIVATE": "true",
		"CODE_RETENTION": "72h", "REPLICA_NAME": "007", "HTTP_ALLOW": "10.0.0.0/8,127.0.0.1", "OTEL_RESOURCE_ATTRIBUTES": `team=a "b",note=c: d # e`, "LOG_LEVEL": "",
	} {
		if got[setting] != want {
			t.Errorf("%s is %q, want %q", setting, got[setting], want)
		}
	}
}

func TestALongNameOfAReleaseFits(t *testing.T) {
	r, err := render(load(t), strings.Repeat("long-", 10)+"rel", everything)
	if err != nil {
		t.Fatal(err)
	}
	if len(r) < 13 {
		t.Errorf("%d objects", len(r))
	}
}

// environment are the variables with a value of their own.
func environment(pod core.PodSpec) map[string]string {
	env := map[string]string{}
	for _, e := range pod.Containers[0].Env {
		env[e.Name] = e.Value
	}
	return env
}
