package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"

	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/language/linear"
	"workflow-worker/runtime/language/operators"
)

const (
	hostileEnv = "SANDBOX_HOSTILE_CASE"
	// overtime is what goja may take to come back from Go; more than the second that it should be,
	// because the collector's work counts, too.
	overtime = 1500 * time.Millisecond
	// mostHostile is the memory of the process that runs a case. The limit is a VM's 128 MB, one
	// call may take half of it, a collection comes when the heap has doubled.
	mostHostile = 1 << 30
	// endless is the budget of what would go on without end: it reaches its target again and again,
	// so a shorter budget ends it in the same place.
	endless = 300 * time.Millisecond
)

// service is where the service runs code: what its runtimes are like, and the budget that it gives
// by default.
type service struct {
	Name   string
	Shared bool
	Budget time.Duration
}

var services = []service{{"workflow", true, time.Second}, {"activity", false, 5 * time.Second}}

func TestMain(m *testing.M) {
	if text := os.Getenv(hostileEnv); text != "" {
		runHostile(text)
		return
	}
	os.Exit(m.Run())
}

// hostileCase is a line of the list, and where it runs.
type hostileCase struct {
	service
	Before, Attack string
}

// ran is what the process says.
type ran struct {
	CPU     time.Duration
	Err     string
	Reached bool   // the attacked call
	Unready string // why it wasn't
}

// runHostile does with a script what is done with the author's code, and what he threw.
func runHostile(text string) {
	var c hostileCase
	out := ran{}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		out.Unready = err.Error()
	} else if v, err := prepared(c, &out); err != nil {
		out.Unready = err.Error()
	} else {
		before := v.CPUTime()
		err := v.Enter(context.Background(), c.Budget, func() error {
			value, err := runRewritten(v, "reached(); "+c.Attack)
			if err == nil {
				_, err = v.ToPayload(value)
				v.Format([]goja.Value{value})
			}
			var thrown *goja.Exception
			if errors.As(err, &thrown) {
				return v.Describe(thrown)
			}
			return err
		})
		out.CPU = v.CPUTime() - before
		if err != nil {
			out.Err = fmt.Sprintf("%T %.300s", err, err)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		os.Exit(1)
	}
}

// everything loads what is made when code first asks for it.
const everything = `(() => {
	for (const name of Object.getOwnPropertyNames(globalThis).concat('Intl', 'TextEncoder', 'TextDecoder', 'BigInt64Array', 'Iterator', 'atob', 'btoa')) globalThis[name];
	(1).toLocaleString('en'); new Date(0).toLocaleString('en'); 'a'.localeCompare('b', 'en', { numeric: true });
	JSON.parse(JSON.stringify([1])); new TextDecoder('gb18030').decode(new TextEncoder().encode('x')); [1].values().map((x) => x).toArray();
	const a = 3n, b = 2n; a ** b; a * b; a << b; a >> b; a < b; a == b; Math.max(...[1]); /x/.test('x'); escape(unescape('x'));
	[1, [2]].flat(); [3, 1].toSorted(); String(new Error('x').stack); new Intl.ListFormat('en').format(['a']); new Intl.PluralRules('en').select(1);
})()`

// prepared is a runtime in which the attack is the next step.
func prepared(c hostileCase, out *ran) (*VM, error) {
	v, err := New(Options{Shared: c.Shared, Memory: NewMemory(MemoryOptions{PerVM: 128 << 20})})
	if err != nil {
		return nil, err
	}
	if err := v.Runtime.GlobalObject().Set("reached", func() { out.Reached = true }); err != nil {
		return nil, err
	}
	for _, text := range []string{everything, c.Before} { // before the first entry no time runs
		if _, err := runRewritten(v, text); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// runRewritten compiles as runtime/compile does.
func runRewritten(v *VM, text string) (goja.Value, error) {
	tree, err := parser.ParseFile(nil, "hostile.ts", text, 0)
	if err != nil {
		return nil, err
	}
	if _, err := operators.Rewrite(tree, text); err != nil {
		return nil, err
	}
	program, err := goja.CompileAST(tree, false)
	if err != nil {
		return nil, err
	}
	return v.Runtime.RunProgram(linear.Tune(program))
}

func TestNothingHoldsACore(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	list, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	race.AtSpeed(t)
	for line := range strings.Lines(string(list)) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "#") {
			continue
		}
		before, attack, found := strings.Cut(text, " @ ")
		if !found {
			t.Fatalf("%s: there is no @", text)
		}
		for _, where := range services {
			if strings.HasPrefix(attack, "for (;;)") {
				where.Budget = endless
			}
			t.Run(where.Name+" "+text[:min(len(text), 100)], func(t *testing.T) {
				t.Parallel()
				hostile(t, hostileCase{where, before, attack})
			})
		}
	}
}

func hostile(t *testing.T, c hostileCase) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = []string{hostileEnv + "=" + string(text)}
	said, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		stderr := ""
		if errors.As(err, &exit) {
			stderr = string(exit.Stderr[:min(len(exit.Stderr), 500)])
		}
		t.Fatalf("the process: %v %s", err, stderr)
	}
	var r ran
	if err := json.Unmarshal(said, &r); err != nil {
		t.Fatalf("%q: %v", said, err)
	}
	usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("%v, %d MB: %s", r.CPU.Round(time.Millisecond), usage.Maxrss>>10, r.Err)
	if !r.Reached || r.Unready != "" {
		t.Fatalf("it didn't come to what it attacks: %s %s", r.Unready, r.Err)
	}
	for _, mistake := range []string{"ReferenceError", "SyntaxError", "is not a function", "is not iterable"} {
		if strings.Contains(r.Err, mistake) {
			t.Errorf("it attacks nothing: %s", r.Err)
		}
	}
	if r.CPU > c.Budget+overtime {
		t.Errorf("it held a core for %v: %s", r.CPU, r.Err)
	}
	if usage.Maxrss<<10 > mostHostile {
		t.Errorf("the process took %d MB: %s", usage.Maxrss>>10, r.Err)
	}
}
