package main

import (
	"reflect"
	"strings"
	"testing"

	"workflow-worker/activities"
)

func TestLimitsOfActivitiesAreNamedAsTheSettingsAre(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for f := range reflect.TypeFor[settings]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		known[name] = true
	}
	for _, name := range []string{activities.MaxResultSetting, activities.MaxResponseSetting, activities.MaxRequestsSetting, activities.CPUTimeSetting, activities.AllowPrivateSetting} {
		if !known[name] {
			t.Errorf("failures name %s, which is no setting", name)
		}
	}
}
