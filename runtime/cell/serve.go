package cell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"google.golang.org/grpc"

	"workflow-worker/runtime"
	"workflow-worker/runtime/memory"
	"workflow-worker/runtime/tracing"
)

// Setup is what a cell is made of.
type Setup struct {
	// Cell is its number, from 1.
	Cell int
	// Environment and Handed are the parent's Config's.
	Environment, Handed map[string]string
	// ReadFile reads a file that the parent may read; see Config.ReadFile.
	ReadFile func(ctx context.Context, path string) ([]byte, error)
	Log      *slog.Logger
	// Config has what the parent serves and hears: the store, the log, the observers. The rest is the
	// program's.
	Config runtime.Config
}

// Program is what runs in a cell.
type Program struct {
	Runner *runtime.Runner
	// Tracer makes the spans there. Nil: nobody does.
	Tracer *tracing.Tracer
	// Metrics gives what is measured there, as Prometheus' families are sent. Nil: nothing is.
	Metrics func() ([][]byte, error)
	// Close ends what Runner stands on, after it.
	Close func()
}

// Serve is a cell, until its parent closes the connection or is no more. begin is called with the
// parent's first words. Before anything else, and on Linux in a process of its own, it gives up what
// a cell doesn't need.
func Serve(begin func(context.Context, Setup) (Program, error)) error {
	lacks, err := confined()
	if err != nil {
		return err
	}
	// Of a terminal's and of systemd's signals each process gets one: the parent says what to do.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	calls, err := connOf(inherited(callsFile))
	if err != nil {
		return err
	}
	asks, err := connOf(inherited(asksFile))
	if err != nil {
		return err
	}
	noted := inherited(noteFile)
	notes, err := openPage(noted)
	if err != nil {
		return err
	}
	_ = noted.Close() // it is mapped
	parent, err := dial(asks)
	if err != nil {
		return err
	}
	defer func() { _ = parent.Close() }() // the process ends
	var work sync.WaitGroup
	c := &child{begin: begin, lacks: lacks, notes: notes, parent: parent, level: new(slog.LevelVar), work: &work}
	c.teller = newTeller(parent)
	c.log = slog.New(&handler{level: c.level, out: &lines{w: os.Stderr}})
	ctx, cancel := context.WithCancel(context.Background())
	c.ctx = ctx
	defer work.Wait()
	defer cancel()
	end, closed := serve(calls, cellService, c, cellMethods()...)
	<-closed
	// Nobody is left to tell, nor to wait for what is under way.
	end()
	if c.program.Close != nil && c.closed {
		c.program.Close()
	}
	return nil
}

// child serves the parent's calls.
type child struct {
	begin  func(context.Context, Setup) (Program, error)
	lacks  []string
	notes  *page
	parent *grpc.ClientConn
	level  *slog.LevelVar
	log    *slog.Logger
	teller *teller
	ctx    context.Context // ends with the connection
	work   *sync.WaitGroup

	mu      sync.Mutex // guards the rest
	program Program
	closed  bool
}

func cellMethods() []grpc.MethodDesc {
	return []grpc.MethodDesc{
		served(methodHello, (*child).hello),
		served(methodWarm, func(c *child, ctx context.Context, _ ok) (ok, error) {
			r, err := c.runner()
			if err != nil {
				return ok{}, err
			}
			return ok{}, r.Warm(ctx)
		}),
		served(methodStart, func(c *child, ctx context.Context, p runtime.Project) (runtime.Report, error) {
			r, err := c.runner()
			if err != nil {
				return runtime.Report{}, err
			}
			return r.Start(c.traced(ctx), p)
		}),
		served(methodReload, func(c *child, ctx context.Context, p runtime.Project) (runtime.Report, error) {
			r, err := c.runner()
			if err != nil {
				return runtime.Report{}, err
			}
			return r.Reload(c.traced(ctx), p)
		}),
		served(methodStop, func(c *child, ctx context.Context, p id) (ok, error) {
			r, err := c.runner()
			if err != nil {
				return ok{}, err
			}
			err = r.Stop(ctx, p.ID)
			c.teller.flush(context.WithoutCancel(ctx)) // who waits for the stop counts what came before
			return ok{}, err
		}),
		served(methodHold, func(c *child, _ context.Context, h hold) (ok, error) {
			r, err := c.runner()
			if err != nil {
				return ok{}, err
			}
			r.Hold(h.ProjectID, h.Held)
			return ok{}, nil
		}),
		served(methodCheck, func(c *child, ctx context.Context, q check) (runtime.CheckResult, error) {
			r, err := c.runner()
			if err != nil {
				return runtime.CheckResult{}, err
			}
			return r.Check(c.traced(ctx), q.ProjectID, q.Check)
		}),
		served(methodPolls, func(c *child, _ context.Context, _ ok) (polls, error) {
			r, err := c.runner()
			if err != nil {
				return polls{}, err
			}
			return polls{r.FailingPolls()}, nil
		}),
		served(methodMetrics, (*child).metrics),
		served(methodLevel, func(c *child, _ context.Context, l level) (ok, error) {
			c.level.Set(slog.Level(l.Level))
			return ok{}, nil
		}),
		served(methodBeat, func(c *child, _ context.Context, _ ok) (beat, error) {
			_, err := c.runner()
			return beat{memory.Used()}, err
		}),
		served(methodFollow, func(c *child, _ context.Context, f following) (ok, error) {
			c.teller.follow(f)
			return ok{}, nil
		}),
		served(methodClose, (*child).close),
	}
}

// traced is a call's context, in the trace that it came with.
func (c *child) traced(ctx context.Context) context.Context {
	c.mu.Lock()
	t := c.program.Tracer
	c.mu.Unlock()
	return t.Under(ctx, carried(ctx))
}

// errNoHello is a call before the first words.
var errNoHello = errors.New("the cell hasn't been told what it is")

func (c *child) runner() (*runtime.Runner, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.program.Runner == nil {
		return nil, errNoHello
	}
	return c.program.Runner, nil
}

func (c *child) hello(_ context.Context, h hello) (welcome, error) {
	if h.Protocol != protocol {
		return welcome{}, fmt.Errorf("the service speaks version %d to its cells, this cell version %d: both must be the same program", h.Protocol, protocol)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.program.Runner != nil {
		return welcome{}, errors.New("the cell was told before what it is")
	}
	c.level.Set(slog.Level(h.Level))
	if h.Memory > 0 {
		debug.SetMemoryLimit(h.Memory)
	}
	t := c.teller
	t.follow(h.Follow)
	program, err := c.begin(c.ctx, Setup{
		Cell: h.Cell, Environment: h.Environment, Handed: h.Handed, ReadFile: c.readFile, Log: c.log,
		Config: runtime.Config{
			Store: store{c.parent, t}, Logger: c.log, Observer: t, Activities: t, Usage: t, KeptCode: t, Failures: t, Progress: t, Steps: t,
			Ended: t.ended, Entered: c.notes.enter,
		},
	})
	if err != nil {
		return welcome{}, err
	}
	c.program = program
	c.work.Go(func() { t.run(c.ctx) })
	return welcome{Protocol: protocol, Lacks: c.lacks}, nil
}

func (c *child) readFile(ctx context.Context, name string) ([]byte, error) {
	out, err := ask[contents](ctx, c.parent, parentService, methodRead, path{name})
	return out.Contents, err
}

func (c *child) metrics(context.Context, ok) (metrics, error) {
	c.mu.Lock()
	gather := c.program.Metrics
	c.mu.Unlock()
	if gather == nil {
		return metrics{}, nil
	}
	families, err := gather()
	return metrics{families}, err
}

func (c *child) close(ctx context.Context, _ ok) (ok, error) {
	r, err := c.runner()
	if err != nil {
		return ok{}, err
	}
	err = r.Close(ctx)
	c.teller.flush(context.WithoutCancel(ctx))
	c.mu.Lock()
	c.closed = err == nil
	c.mu.Unlock()
	return ok{}, err
}

// The files that a cell inherits.
const (
	callsFile = 3 + iota // the parent's calls
	asksFile             // the cell's
	noteFile             // whose JavaScript is under way: a page
	filesEnd
)

func inherited(fd uintptr) *os.File { return os.NewFile(fd, "cell") }
