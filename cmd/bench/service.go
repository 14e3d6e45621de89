package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"workflow-worker/docker/stack"
)

// service is the process under measurement.
type service struct {
	*stack.Process
	address string
	log     *lastLines
}

func startService(ctx context.Context, binary string, log io.Writer, settings map[string]string) (*service, error) {
	port, err := stack.FreePort()
	if err != nil {
		return nil, err
	}
	s := &service{address: fmt.Sprintf("http://127.0.0.1:%d", port), log: &lastLines{next: log}}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary)
	// Without our own environment: what is measured are the defaults.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "WORKER_SERVICE_PORT=" + strconv.Itoa(port)}
	for name, value := range settings {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if s.Process, err = stack.StartProcess(cmd, s.log); err != nil {
		return nil, err
	}
	if err := s.waitReady(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w\n%s", binary, err, s.log), s.stop(ctx))
	}
	return s, nil
}

func (s *service) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("it is not ready after a minute"))
	defer cancel()
	return waitFor(ctx, 10*time.Millisecond, func() (bool, error) {
		select {
		case <-s.Done():
			return false, errors.Join(errors.New("it ended before it was ready"), s.Err())
		default:
		}
		_, err := s.get(ctx, "/health/ready")
		return err == nil, nil
	})
}

// stop ends the service as an operator would. One that takes too long, or ends
// with an error, is worth knowing of.
func (s *service) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 60*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		return fmt.Errorf("stop the service: %w\n%s", err, s.log)
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("the service ended with %w\n%s", err, s.log)
	}
	return nil
}

func (s *service) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %d: %s", path, resp.StatusCode, body)
	}
	return body, err
}

// metrics reads /metrics: every series as it is written there, with its value.
func (s *service) metrics(ctx context.Context) (map[string]float64, error) {
	body, err := s.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	series := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(body))
	for lines.Scan() {
		name, text, ok := cutLast(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); ok && err == nil && !strings.HasPrefix(name, "#") {
			series[name] = value
		}
	}
	return series, lines.Err()
}

// sumOf adds up a metric's series, whatever their labels.
func sumOf(series map[string]float64, metric string) (total float64) {
	for name, value := range series {
		if base, _, _ := strings.Cut(name, "{"); base == metric {
			total += value
		}
	}
	return total
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// lastLines keeps the end of a log for an error message.
type lastLines struct {
	mu   sync.Mutex // guards kept
	kept []byte
	next io.Writer
}

func (l *lastLines) Write(b []byte) (int, error) {
	const size = 4 << 10
	l.mu.Lock()
	l.kept = append(l.kept, b...)
	l.kept = l.kept[max(0, len(l.kept)-size):]
	l.mu.Unlock()
	return l.next.Write(b)
}

func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(bytes.TrimSpace(l.kept))
}

// waitFor asks until done says so, fails, or ctx ends.
func waitFor(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
