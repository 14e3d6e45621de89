package cell

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"google.golang.org/grpc"

	"workflow-worker/runtime"
)

// linked makes two ends of a connection: a server of methods, and who calls them.
func linked(t testing.TB, service string, server any, methods ...grpc.MethodDesc) *grpc.ClientConn {
	t.Helper()
	ours, theirs, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	a, err := connOf(ours)
	if err != nil {
		t.Fatal(err)
	}
	z, err := connOf(theirs)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := serve(a, service, server, methods...)
	t.Cleanup(end)
	cc, err := dial(z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// beats is a cell that answers after a while.
type beats struct{ after time.Duration }

func (b *beats) beat(ctx context.Context, _ ok) (beat, error) {
	select {
	case <-time.After(b.after):
	case <-ctx.Done():
	}
	return beat{Used: 1}, nil
}

func TestACellIsSilentOnlyWhenItHasHadAllOfItsTimeForAnAnswer(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		after time.Duration
		ended bool
	}{
		"late":  {after: 2500 * time.Millisecond},
		"never": {after: time.Hour, ended: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := New(Config{Store: struct{ runtime.CodeStore }{}, Silence: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			p := &process{cells: c, dead: make(chan struct{}), cmd: exec.Command("sleep", "3600")}
			if err := p.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			go func() {
				_ = p.cmd.Wait() // it is killed
				close(p.dead)
			}()
			p.calls = linked(t, cellService, &beats{x.after}, served(methodBeat, (*beats).beat))
			heard := make(chan struct{})
			go func() {
				defer close(heard)
				c.listen(p)
			}()
			if x.ended {
				<-p.dead
			} else {
				// Twice as long as it may be silent.
				select {
				case <-p.dead:
				case <-time.After(2 * c.cfg.Silence):
				}
			}
			if p.silent.Load() != x.ended {
				t.Errorf("it counts as silent: %v", p.silent.Load())
			}
			c.end(errClosed)
			<-heard
			_ = p.cmd.Process.Kill() // it may be over already
			<-p.dead
			if p.used.Load() == 0 && !x.ended {
				t.Error("nothing was heard of it")
			}
		})
	}
}
