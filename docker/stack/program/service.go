// Package program runs the service's program as a process: for end-to-end tests, and for the
// programs for people. It knows the service's settings and paths, and imports of ours only stack.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"workflow-worker/docker/stack"
)

// patience is how long the service may take to come up, and to end.
const patience = time.Minute

// Options say what is to run.
type Options struct {
	File string // the program
	Dir  string // where it runs; "" = here
	// Environment is NAME=value, beside PATH, HOME and where it listens; what comes last counts.
	Environment []string
	// Port is where it listens, on 127.0.0.1. 0 takes a free one, which its log tells if that is at
	// the level info.
	Port int
	// Log gets its output, too; nil = nobody.
	Log io.Writer
}

// Service is the service as a process.
type Service struct {
	*stack.Process
	address string
	log     *output
}

// Start runs the program. It doesn't wait until it is ready.
func Start(ctx context.Context, o Options) (*Service, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), o.File)
	cmd.Dir = o.Dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"WORKER_SERVICE_HOST=127.0.0.1", "WORKER_SERVICE_PORT=" + strconv.Itoa(o.Port),
	}, o.Environment...)
	s := &Service{address: "127.0.0.1:" + strconv.Itoa(o.Port), log: &output{next: o.Log, up: make(chan string, 1), told: o.Port != 0}}
	var err error
	if s.Process, err = stack.StartProcess(cmd, s.log); err != nil {
		return nil, err
	}
	if o.Port != 0 {
		return s, nil
	}
	if s.address, err = s.toldAddress(ctx); err != nil {
		s.Kill()
		<-s.Done()
		return nil, fmt.Errorf("%s: %w\n%s", o.File, err, s.log.tail())
	}
	return s, nil
}

func (s *Service) toldAddress(ctx context.Context) (string, error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case address := <-s.log.up:
		return address, nil
	case <-s.Done():
		return "", errors.Join(errors.New("it ended at its start"), s.Err())
	case <-late.C:
		return "", errors.New("it didn't come up")
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Address is where it listens.
func (s *Service) Address() string { return s.address }

// Log is its output so far.
func (s *Service) Log() string { return s.log.all() }

// Get asks for a path.
func (s *Service) Get(ctx context.Context, path string) (status int, body []byte, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// WaitReady waits until it can do its job.
func (s *Service) WaitReady(ctx context.Context) error { return s.WaitFor(ctx, "/health/ready") }

// WaitFor waits until it answers a path with 200.
func (s *Service) WaitFor(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("not within "+patience.String()))
	defer cancel()
	last := "no answer"
	err := stack.WaitFor(ctx, 10*time.Millisecond, func() (bool, error) {
		select {
		case <-s.Done():
			return false, s.Ended()
		default:
		}
		status, body, err := s.Get(ctx, path)
		if err == nil {
			last = fmt.Sprintf("%d %s", status, body)
		}
		return err == nil && status == http.StatusOK, nil
	})
	if err != nil {
		return fmt.Errorf("the service is to answer %s: %w (%s)\n%s", path, err, last, s.log.tail())
	}
	return nil
}

// Ended is the error of a service that has ended although nobody asked.
func (s *Service) Ended() error {
	if err := s.Err(); err != nil {
		return fmt.Errorf("the service ended by itself: %w", err)
	}
	return errors.New("the service ended by itself")
}

// End stops it as an operator would. One that takes too long, or ends with an error, is worth
// knowing of.
func (s *Service) End(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		return fmt.Errorf("stop the service: %w\n%s", err, s.log.tail())
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("the service ended with %w\n%s", err, s.log.tail())
	}
	return nil
}

// output keeps what the service says.
type output struct {
	next io.Writer   // may be nil
	up   chan string // gets its address

	mu   sync.Mutex // guards what follows
	kept strings.Builder
	told bool // where it listens
}

var upLine = regexp.MustCompile(`workflow-worker is up.*address"?[=:]"?\S*?:(\d+)"?[ ,}\n]`)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept.Write(b)
	if !o.told {
		if m := upLine.FindStringSubmatch(o.kept.String()); m != nil {
			o.told = true
			o.up <- "127.0.0.1:" + m[1]
		}
	}
	if o.next != nil {
		return o.next.Write(b)
	}
	return len(b), nil
}

func (o *output) all() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kept.String()
}

// tail is the end of it, for an error message.
func (o *output) tail() string {
	const most = 8 << 10
	text := o.all()
	return strings.TrimSpace(text[max(0, len(text)-most):])
}
