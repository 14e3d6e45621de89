package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestCasesAreAsManyAsPromisedAndFitTogether(t *testing.T) {
	t.Parallel()
	groups, err := loadGroups()
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, g := range groups {
		count[g.Kind] += len(g.Cases)
	}
	if count[kindWorkflows] < 150 || count[kindActivities] < 80 {
		t.Errorf("%v; promised are 150 of workflows and 80 of activities", count)
	}
}

func value(t *testing.T, text string) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	v, err := readValue(n.Content[0], strings.NewReplacer("${id}", "my-id"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDifferencesAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want, got string
		partly    bool
		names     string // "" for none
	}{
		{want: "1", got: "1.0"},
		{want: "[1, {a: b}]", got: "[1, {a: b}]"},
		{want: "[1, {a: b}]", got: "[1, {a: c}]", names: "[1].a"},
		{want: "{a: 1}", got: "{a: 1, b: 2}", names: "b: 2"},
		{want: "{a: 1}", got: "{a: 1, b: 2}", partly: true},
		{want: "{a: 1, c: null}", got: "{a: 1, b: 2}", partly: true},
		{want: "{c: null}", got: "{}", names: "want {c: null}"},
		{want: "{a: {b: 1}}", got: "{a: {b: 2, c: 3}}", partly: true, names: "a.b"},
		{want: "!re '^x'", got: "xyz"},
		{want: "!re '^x'", got: "yxz", names: "/^x/"},
		{want: "!re '^${id}$'", got: "my-id"},
		{want: "!undefined ''", got: "null", names: "undefined"},
		{want: "!undefined ''", got: "!undefined ''"},
		{want: "!bytes AQI=", got: "!bytes AQI="},
		{want: "!bytes AQI=", got: "!bytes AQ==", names: "bytes"},
		{want: "!any ''", got: "{x: 1}"},
		{want: "null", got: "{x: 1}", names: "want null"},
	} {
		d := differ(value(t, c.want), value(t, c.got), c.partly)
		if (c.names == "") != (d == "") || !strings.Contains(d, c.names) {
			t.Errorf("want %s, got %s: %q", c.want, c.got, d)
		}
	}
}

func TestValuesPassThroughPayloads(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1.5", "text", "null", "[1, {a: [true]}]", "!undefined ''", "!bytes AP8=", "!payload {encoding: binary/strange, data: x}"} {
		v := value(t, text)
		p, err := payloadOf(v)
		if err != nil {
			t.Fatal(err)
		}
		if d := differ(v, valueOf(p), false); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestImportsArePutBeforeTheFirstLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"await sleep(1);\n":                              "import { sleep } from '@temporalio/workflow'; await sleep(1);\n",
		"throw ensureApplicationFailure(uuid4())":        "import { uuid4 } from '@temporalio/workflow'; import { ensureApplicationFailure } from '@temporalio/common'; throw ensureApplicationFailure(uuid4())",
		"import { sleep } from 'x';\nsleep()":            "import { sleep } from 'x';\nsleep()",
		"const { sleep } = require('x'); await sleep(1)": "const { sleep } = require('x'); await sleep(1)",
		"return 1": "return 1",
	} {
		if got := withImports(text, workflowNames); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

func TestGateOpensWhenAllCasesAreThereOrGone(t *testing.T) {
	t.Parallel()
	var actions []string
	g := newGate(3, func(_ context.Context, action string) error {
		actions = append(actions, action)
		return errors.New(action + " failed")
	})
	errs := make(chan error)
	for range 2 {
		go func() { errs <- g.pass(t.Context(), "stop") }()
	}
	g.leave() // the third one ended early
	for range 2 {
		if err := <-errs; err == nil || err.Error() != "stop failed" {
			t.Errorf("got %v", err)
		}
	}
	if !slices.Equal(actions, []string{"stop"}) {
		t.Errorf("actions: %v", actions)
	}
}
