package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/compile"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

func TestNativeWorkflowsReturnWhatTheCasesExpect(t *testing.T) {
	t.Parallel()
	in, commands := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	address := stacktest.TemporalAddress(t)
	go func() {
		ended <- serveNative(context.Background(), []string{"-address", address}, in, out)
		_ = out.Close()
	}()
	answered := func() {
		t.Helper()
		line := make([]byte, len("ready\n"))
		if _, err := io.ReadFull(answers, line); err != nil || string(line) != "ready\n" {
			t.Fatalf("%q %v", line, err)
		}
	}
	answered()
	queue := stacktest.TaskQueue(t)
	if _, err := io.WriteString(commands, queue+"\n"); err != nil {
		t.Fatal(err)
	}
	answered()
	b := &bench{client: stacktest.TemporalClient(t)}
	for _, c := range cpuCases() {
		if err := b.runMany(t.Context(), c, queue, 2); err != nil {
			t.Error(err)
		}
		c.result = "wrong"
		if err := b.runMany(t.Context(), c, queue, 1); c.workflow != wfSignal && err == nil {
			t.Errorf("%s: a wrong result isn't noticed", c.workflow)
		}
	}
	if err := commands.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTextsOfTheRowsCompile(t *testing.T) {
	t.Parallel()
	compiler := compile.New(compile.Config{})
	t.Cleanup(compiler.Close)
	want := map[compile.Source][]string{
		{Name: "version-of.ts", Kind: compile.Workflow, Text: versionCode("1.0.1")}: {wfVersion},
		{Name: "cpu.ts", Kind: compile.Workflow, Text: cpuCode}:                     {wfNoop, wfOne, wfFive, wfFanOut, wfSignal, "default"},
		{Name: "echo.ts", Kind: compile.Activity, Text: echoComponent}:              {"echo"},
		{Name: "glue.ts", Kind: compile.Workflow, Text: glueWorkflow}:               {"glued", "reshapes", wfNoop, "default"},
		{Name: "reshaped.ts", Kind: compile.Activity, Text: reshapeComponent}:       {"reshaped"},
	}
	for source, functions := range want {
		program, err := compiler.Compile(t.Context(), source)
		if err != nil {
			t.Error(err)
			continue
		}
		found, _ := program.Functions()
		for _, f := range functions {
			if !slices.Contains(found, f) {
				t.Errorf("%s exports %q, not %s", source.Name, found, f)
			}
		}
	}
}

func TestUsageCountsChildrenThatLiveAndThatHaveDied(t *testing.T) {
	t.Parallel()
	// A shell that has spent CPU in a child that is gone, and now has one that lives.
	cmd := exec.CommandContext(t.Context(), "sh", "-c",
		`sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; echo done; sleep 60 & wait`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }() // the sleep, too
	if _, err := io.ReadFull(out, make([]byte, len("done\n"))); err != nil {
		t.Fatal(err)
	}
	u, err := usageOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	own, err := readStat(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if u.cpu < 2*clockTick || own.dead < 2*clockTick {
		t.Errorf("the CPU of a child that died is missing: %v, %+v", u, own)
	}
	for deadline := time.Now().Add(10 * time.Second); u.rss <= own.rss; {
		if time.Now().After(deadline) {
			t.Fatalf("the memory of a child is missing: %v, %+v", u, own)
		}
		if u, err = usageOf(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := usageOf(math.MaxInt32); err == nil {
		t.Error("a process that isn't there has usage")
	}
	if self, err := usageOf(os.Getpid()); err != nil || self.rss < 1<<20 {
		t.Errorf("our own usage: %v, %v", self, err)
	}
}

func TestQuantileIsAMeasuredValue(t *testing.T) {
	t.Parallel()
	var values []time.Duration
	for i := 200; i > 0; i-- {
		values = append(values, time.Duration(i))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 100, 0.99: 198, 1: 200} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v = %d, want %d", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 || quantile([]time.Duration{7}, 0.99) != 7 {
		t.Error("of none or one")
	}
}

func TestReportShowsWhatWasMissed(t *testing.T) {
	t.Parallel()
	var r report
	r.add("fast", "ms", yardstick{"9 ms", "1 ms", "3 ms", 3}, 1.5, 3)
	r.add("slow", "ms", yardstick{goal: "3 ms", limit: 3}, math.NaN(), 3.01)
	r.add("without goal", "", yardstick{}, math.NaN(), 0)
	r.note("a note")
	var out bytes.Buffer
	r.print(&out, time.Second)
	for _, want := range []string{
		"| fast         | 9 ms | 1 ms      | 3 ms | 1.50 ms     | 3 ms    | 2.0      | yes      |",
		"| slow         |      |           | 3 ms | –           | 3.01 ms |          | NO       |",
		"| without goal |      |           |      | –           | 0       |          |          |",
		"- a note\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"-parts all", "-memory 500,100", "-memory x", "-reloads 0", "-projects 5,5", "-load -1", "-scale -1", "extra"} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s is accepted", args)
		}
	}
	o, err := parseOptions(nil, io.Discard)
	if err != nil || o.reloads != 200 || !slices.Equal(o.projects, []int{100, 500}) || !slices.Equal(o.parts, allParts) {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestMetricsOfAServiceAreSummedOverTheirLabels(t *testing.T) {
	t.Parallel()
	series := map[string]float64{`a_total{x="1"}`: 1, `a_total{x="2"}`: 2, `a_total`: 4, `a_total_other`: 8}
	if got := sumOf(series, "a_total"); got != 7 {
		t.Errorf("sum = %v", got)
	}
}

func TestOnlyATaskThatWasTakenAndNotDoneIsLost(t *testing.T) {
	t.Parallel()
	timeout := func(kind enumspb.TimeoutType) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, Attributes: &historypb.HistoryEvent_WorkflowTaskTimedOutEventAttributes{
			WorkflowTaskTimedOutEventAttributes: &historypb.WorkflowTaskTimedOutEventAttributes{TimeoutType: kind}}}
	}
	started := func(attempt int32) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED, Attributes: &historypb.HistoryEvent_ActivityTaskStartedEventAttributes{
			ActivityTaskStartedEventAttributes: &historypb.ActivityTaskStartedEventAttributes{Attempt: attempt}}}
	}
	for name, c := range map[string]struct {
		event *historypb.HistoryEvent
		lost  bool
	}{
		"a workflow task":      {timeout(enumspb.TIMEOUT_TYPE_START_TO_CLOSE), true},
		"one that nobody took": {timeout(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START), false},
		"a second attempt":     {started(2), true},
		"a first attempt":      {started(1), false},
		"an activity":          {&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT}, true},
		"anything else":        {&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_TIMER_FIRED}, false},
	} {
		if got := lostIn(c.event); (got != "") != c.lost {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestFiguresOfGoBenchmarksAreRead(t *testing.T) {
	t.Parallel()
	got := benchmarkFigures("goos: linux\nBenchmarkPlain-2 \t 1000\t 998219 ns/op\t 701.9 cpu-µs/op\t 373106 B/op\t 4812 allocs/op\nBenchmarkCachedRun-2 1 2491126045 ns/op 61881 B/run\nPASS\n")
	if got["BenchmarkPlain cpu-µs/op"] != 701.9 || got["BenchmarkCachedRun B/run"] != 61881 || len(got) != 6 {
		t.Errorf("%v", got)
	}
}
