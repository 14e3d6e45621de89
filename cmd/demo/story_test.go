package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/cmd/dev/devenv"
	"workflow-worker/docker/stack/program"
	"workflow-worker/docker/stack/stacktest"
)

// What a newcomer reads is testdata/story.txt, on real servers, whether it is the
// first demo or a later one.
func TestDemoTellsTheSameStoryEachTime(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/story.txt")
	if err != nil {
		t.Fatal(err)
	}
	databaseURL := stacktest.MigratedDatabase(t)
	runService(t, databaseURL)
	db, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	queue := stacktest.TaskQueue(t)
	for _, which := range []string{"first", "second"} {
		var out bytes.Buffer
		d := &demo{
			story: story{&out}, db: db, taskQueue: queue,
			addresses: devenv.Addresses{TemporalUI: "http://127.0.0.1:8233", TemporalNamespace: "default"},
		}
		if err := d.tell(t.Context()); err != nil {
			t.Fatalf("%s demo: %v\n%s", which, err, out.Bytes())
		}
		compareLines(t, which+" demo", withoutMeasures(out.String()), string(want))
	}
}

func compareLines(t *testing.T, what, got, want string) {
	t.Helper()
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		var g, w string
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if g != w {
			t.Errorf("%s, line %d:\n%q, want\n%q", what, i+1, g, w)
		}
	}
}

// runService runs the service's program until the test ends.
func runService(t *testing.T, databaseURL string) {
	t.Helper()
	service, err := program.Start(t.Context(), program.Options{File: stacktest.ServiceProgram(t), Environment: []string{
		"HOME=" + t.TempDir(), "DATABASE_URL=" + databaseURL, "TEMPORAL_ADDRESS=" + stacktest.TemporalAddress(t),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.End(t.Context()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the service's log:\n%s", service.Log())
		}
	})
}

// withoutMeasures puts a constant where each run has its own: durations, times of
// day, and hashes, which change with the SDK bundle.
func withoutMeasures(text string) string {
	for pattern, constant := range map[string]string{
		`by the time the last commit returned`: "N ms after the last commit",
		`\d+ ms`:                               "N ms",
		`\d\d:\d\d:\d\d`:                       "HH:MM:SS",
		`\b[0-9a-f]{12}\b`:                     "hashhashhash",
		"\x1b" + `\[\d+m`:                      "", // styles, when the test has a terminal
		`(?m)[ ]+$`:                            "",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, constant)
	}
	return text
}
