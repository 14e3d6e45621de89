package compile

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"time"

	"workflow-worker/runtime/logkey"
)

// pool hands texts to child processes, one text at a time each. Children start when they are
// needed; one is kept, for the next edit to find it warm, and the others end when nothing was
// compiled for a while.
type pool struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	// slots holds a token per child that may be in use.
	slots chan struct{}
	// slow holds a token per child that does what may take long: one less.
	slow chan struct{}

	mu   sync.Mutex // guards what follows
	idle []*process
	trim *time.Timer
	// slowest has when a project last had a text that took long.
	slowest map[string]time.Time
}

// trimAfter is how long the children beyond the first are kept: each takes 30 MB.
const trimAfter = 3 * time.Second

func newPool(cfg Config) *pool {
	p := &pool{cfg: cfg, slots: make(chan struct{}, cfg.Children), slow: make(chan struct{}, max(1, cfg.Children-1)), slowest: map[string]time.Time{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.trim = time.AfterFunc(trimAfter, p.keepOne)
	return p
}

func (p *pool) transform(ctx context.Context, s Source) (transformed, error) {
	r, err := p.ask(ctx, subject{s.Name, s.ProjectID, false}, request{Name: s.Name, Kind: s.Kind, Text: s.Text, Settings: s.Settings, Budget: p.cfg.Timeout})
	switch {
	case errors.Is(err, errDied):
		return transformed{}, &Error{File: s.Name, Message: "the text ended the compiler: its expressions or statements nest too deep, or it is too large"}
	case errors.Is(err, errTooMuch):
		return transformed{}, &Error{File: s.Name, Message: fmt.Sprintf("compiling took more than %d MB of memory; simplify the text", mostMemory>>20)}
	case errors.Is(err, errTooLong):
		return transformed{}, &Error{File: s.Name, Message: fmt.Sprintf("compiling took longer than %v; simplify the text", p.cfg.Timeout)}
	case err != nil:
		return transformed{}, err
	case r.Err != nil:
		return transformed{}, r.Err
	}
	return r.Transformed, nil
}

func (p *pool) bundle(ctx context.Context, q bundleRequest) (bundled, error) {
	name := "npm packages " + strings.Join(q.Names, ", ")
	r, err := p.ask(ctx, subject{name: name}, request{Bundle: q, Budget: packagesTimeout})
	switch {
	case errors.Is(err, errDied):
		return bundled{}, &bundleError{Message: "the " + name + " ended the compiler: they are too large, or nest too deep"}
	case errors.Is(err, errTooLong):
		return bundled{}, &bundleError{Message: fmt.Sprintf("bundling the %s took longer than %v", name, packagesTimeout)}
	case err != nil:
		return bundled{}, err
	case r.BundleErr != nil:
		return bundled{}, r.BundleErr
	}
	return r.Bundled, nil
}

// subject names what a child is asked about; projectID is "" for what is no single project's. Slow is what
// may take long although it says nothing of a project.
type subject struct {
	name, projectID string
	slow            bool
}

const (
	// slowAfter is how long a text takes that others shouldn't wait for; most take some milliseconds.
	slowAfter = 500 * time.Millisecond
	// slowRemembered is for how long after such a text a project's others count as such.
	slowRemembered = time.Minute
	// maxSlow is how many projects are remembered for theirs.
	maxSlow = 1024
)

// begin waits for a child. What may take long waits for its like, so that one child is left for all
// others: texts of a project that had one that did, and those that code makes while it runs.
func (p *pool) begin(ctx context.Context, about subject) (end func(), err error) {
	ends := []func(){}
	end = func() {
		for _, f := range ends {
			f()
		}
	}
	places := []chan struct{}{p.slots}
	if p.isSlow(about) {
		places = []chan struct{}{p.slow, p.slots}
	}
	for _, places := range places {
		select {
		case places <- struct{}{}:
			ends = append(ends, func() { <-places })
		case <-ctx.Done():
			end()
			return nil, fmt.Errorf("compile %s: no compiler was free in time: %w", about.name, context.Cause(ctx))
		case <-p.ctx.Done():
			end()
			return nil, errClosed
		}
	}
	return end, nil
}

func (p *pool) isSlow(about subject) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, found := p.slowest[about.projectID]
	return about.slow || found && time.Since(last) < slowRemembered
}

// took notes how long one was asked.
func (p *pool) took(about subject, d time.Duration) {
	if d < slowAfter || about.projectID == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.slowest) >= maxSlow {
		p.slowest = map[string]time.Time{}
	}
	p.slowest[about.projectID] = time.Now()
}

// ask has a child answer. The error is errDied if what it was asked ends it, errTooLong if the
// answer took more than its budget. Where there was none by the context's deadline, the machine was
// busy: that is worth another try.
func (p *pool) ask(ctx context.Context, about subject, q request) (response, error) {
	end, err := p.begin(ctx, about)
	if err != nil {
		return response{}, err
	}
	defer end()
	began := time.Now()
	defer func() { p.took(about, time.Since(began)) }()
	r, c, err := p.with(ctx, p.take(), about.name, q)
	if errors.Is(err, errDied) {
		// Once more, so that a child that was killed from outside isn't blamed on the text.
		if r, c, err = p.with(ctx, c, about.name, q); errors.Is(err, errDied) {
			said := []slog.Attr{slog.String(logkey.Source, about.name), slog.String(logkey.Error, err.Error())}
			if about.projectID != "" {
				said = append(said, slog.String(logkey.Project, about.projectID))
			}
			p.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a text ended the compiler process", said...)
		}
	}
	p.put(c)
	return r, err
}

// take gives an idle child; nil if a new one must be started.
func (p *pool) take() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return c
}

// put takes a child back, if it lives.
func (p *pool) put(c *process) {
	if c == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
	if len(p.idle) > 1 {
		p.trim.Reset(trimAfter)
	}
}

// keepOne ends all idle children but one.
func (p *pool) keepOne() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 1 {
		p.idle[0].kill()
		p.idle = p.idle[1:]
	}
}

// errDied is a child that ended before it answered.
var errDied = errors.New("the compiler process died")

// errTooLong is a child that ended because it had used its budget.
var errTooLong = errors.New("compiling took too long")

// errTooMuch is a child that ended because it had taken more memory than a text may.
var errTooMuch = errors.New("compiling took too much memory")

// outOfMemory is in what Go says when the kernel refuses it memory.
const outOfMemory = "out of memory"

// errBusy is a child that had not used it by the deadline.
var errBusy = errors.New("the machine was too busy to do it in time")

var errClosed = errors.New("the compiler is closed")

// with uses c, or a new child if c is nil, and gives the child to keep: nil if it died.
func (p *pool) with(ctx context.Context, c *process, name string, q request) (response, *process, error) {
	if p.ctx.Err() != nil {
		c.kill()
		return response{}, nil, errClosed
	}
	if c == nil {
		var err error
		if c, err = start(p.ctx, p.cfg.Command); err != nil {
			return response{}, nil, err
		}
	}
	done := make(chan struct{})
	var r response
	var err error
	go func() {
		defer close(done)
		r, err = c.ask(q)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		c.kill()
		<-done
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return response{}, nil, fmt.Errorf("compile %s: %w", name, errBusy)
		}
		return response{}, nil, fmt.Errorf("compile %s: %w", name, context.Cause(ctx))
	}
	switch {
	case err != nil && p.ctx.Err() != nil:
		c.kill()
		return response{}, nil, errClosed
	case err != nil:
		c.kill()
		if c.cmd.ProcessState.ExitCode() == tooLongCode {
			return response{}, nil, errTooLong
		}
		if c.cmd.ProcessState.ExitCode() == tooMuchCode || strings.Contains(c.said(), outOfMemory) {
			return response{}, nil, errTooMuch
		}
		return response{}, nil, fmt.Errorf("%w: %w: %s", errDied, err, c.said())
	case len(q.Bundle.Names) > 0:
		// It holds what it read: hundreds of megabytes for large packages.
		c.kill()
		return r, nil, nil
	}
	return r, c, nil
}

// close ends all children, at once if they compile, and waits for those in use.
func (p *pool) close() {
	if p.ctx.Err() != nil {
		return
	}
	p.cancel()
	for range p.cfg.Children {
		p.slots <- struct{}{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trim.Stop()
	for _, c := range p.idle {
		c.kill()
	}
	p.idle = nil
}

// process is one child.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	enc    *gob.Encoder
	dec    *gob.Decoder
	stderr *beginning
}

// start runs the command. The child inherits nothing: no environment, no files, no working
// directory of ours.
func start(ctx context.Context, command []string) (*process, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = []string{childEnv + "=1"}
	cmd.Dir = "/"
	cmd.SysProcAttr = dieWithParent()
	c := &process{cmd: cmd, stderr: &beginning{}}
	cmd.Stderr = c.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the compiler process: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the compiler process: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the compiler process: %w", err)
	}
	c.stdin, c.enc, c.dec = stdin, gob.NewEncoder(stdin), gob.NewDecoder(bufio.NewReader(stdout))
	return c, nil
}

// childEnv tells a test binary, which has no subcommands, that it was started as the child.
const childEnv = "WORKFLOW_WORKER_COMPILE_CHILD"

func (c *process) ask(q request) (response, error) {
	var r response
	if err := c.enc.Encode(q); err != nil {
		return r, err
	}
	err := c.dec.Decode(&r)
	return r, err
}

// kill ends the child and waits for it; nil and a second time are fine.
func (c *process) kill() {
	if c == nil {
		return
	}
	_ = c.stdin.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // says that it was killed
}

func (c *process) said() string { return strings.TrimSpace(string(c.stderr.head)) }

// beginning keeps the beginning of what a dying child prints: the reason; the rest is its stack.
type beginning struct{ head []byte }

func (t *beginning) Write(p []byte) (int, error) {
	if room := 512 - len(t.head); room > 0 {
		t.head = append(t.head, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
