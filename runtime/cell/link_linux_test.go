package cell

import (
	"os/exec"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// Processes begin all the time: compilers, and other cells.
func TestNobodyElseInheritsAConnection(t *testing.T) {
	t.Parallel()
	sockets := regexp.MustCompile(`socket:\[\d+\]`)
	inherited := func() []string {
		out, err := exec.Command("ls", "-l", "/proc/self/fd").Output()
		if err != nil {
			t.Error(err)
		}
		return sockets.FindAllString(string(out), -1)
	}
	before := inherited() // from whoever runs the tests
	over := make(chan struct{})
	var making sync.WaitGroup
	making.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			a, b, err := pair()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = a.Close(), b.Close() // nothing was written
		}
	})
	for range 200 {
		if more := slices.DeleteFunc(inherited(), func(s string) bool { return slices.Contains(before, s) }); len(more) > 0 {
			t.Errorf("a process that began meanwhile has %q", more)
			break
		}
	}
	close(over)
	making.Wait()
}
