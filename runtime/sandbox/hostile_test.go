package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"

	"workflow-worker/runtime/language/operators"
)

const (
	hostileEnv    = "SANDBOX_HOSTILE_CASE"
	hostileBudget = 100 * time.Millisecond
	// overtime is what goja may take to come back from Go; more than the second that it should be, because the collector's work counts, too.
	overtime = 1500 * time.Millisecond
	// mostHostile is the memory of the process that runs a case. The limit is a VM's 128 MB, one call may take half of it, a
	// collection comes when the heap has doubled.
	mostHostile = 1 << 30
)

func TestMain(m *testing.M) {
	if text := os.Getenv(hostileEnv); text != "" {
		runHostile(text)
		return
	}
	os.Exit(m.Run())
}

// ran is what the process says.
type ran struct {
	CPU time.Duration
	Err string
}

// runHostile does with a script what is done with the author's code, and what he threw.
func runHostile(text string) {
	m := NewMemory(MemoryOptions{PerVM: 128 << 20})
	v, err := New(Options{Shared: text[0] == 's', Memory: m})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var out ran
	err = v.Enter(context.Background(), hostileBudget, func() error {
		value, err := runRewritten(v, text[1:])
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
	out.CPU = v.CPUTime()
	if err != nil {
		out.Err = fmt.Sprintf("%T %.300s", err, err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		os.Exit(1)
	}
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
	return v.Runtime.RunProgram(program)
}

func TestNothingEndsTheProcess(t *testing.T) {
	list, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	binary := os.Args[0]
	if raced { // time and memory are to be those of the service
		binary = filepath.Join(t.TempDir(), "sandbox.test")
		if said, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, ".").CombinedOutput(); err != nil {
			t.Fatalf("build without the race detector: %v\n%s", err, said)
		}
	}
	section := 0
	for line := range strings.Lines(string(list)) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "#") {
			section++
			continue
		}
		modes := []string{"own"}
		if section == 2 { // of builtins, which runtimes that are shared get in another way
			modes = append(modes, "shared")
		}
		for _, mode := range modes {
			t.Run(mode+" "+text[:min(len(text), 100)], func(t *testing.T) {
				t.Parallel()
				hostile(t, binary, mode[:1]+text)
			})
		}
	}
}

func hostile(t *testing.T, binary, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = []string{hostileEnv + "=" + text}
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
	if r.CPU > hostileBudget+overtime {
		t.Errorf("it held a core for %v: %s", r.CPU, r.Err)
	}
	if usage.Maxrss<<10 > mostHostile {
		t.Errorf("the process took %d MB: %s", usage.Maxrss>>10, r.Err)
	}
}
