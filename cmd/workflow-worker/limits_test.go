package main

import (
	"reflect"
	"strings"
	"testing"

	"workflow-worker/activities"
	"workflow-worker/runtime"
)

func TestLimitsOfActivitiesAreNamedAsTheSettingsAre(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for f := range reflect.TypeFor[settings]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		known[name] = true
	}
	for _, name := range []string{activities.MaxResultSetting, activities.MaxResponseSetting, activities.MaxRequestsSetting, activities.CPUTimeSetting,
		activities.MaxCPUTimeSetting, activities.MaxMemorySetting, activities.AllowPrivateSetting, runtime.MaxWorkflowMemorySetting} {
		if !known[name] {
			t.Errorf("failures name %s, which is no setting", name)
		}
	}
}
