package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Prometheus is a Prometheus server that this process started.
type Prometheus struct {
	*Process
	URL string // without a slash at its end
	dir *tempDir
}

// PrometheusProgram returns one of its programs, prometheus or promtool: this machine's, else that
// of Debian's package.
func PrometheusProgram(ctx context.Context, progress io.Writer, name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	dir, err := unpackPackage(ctx, progress, "prometheus")
	if err != nil {
		return "", err
	}
	return exec.LookPath(filepath.Join(dir, "usr", "bin", name))
}

// StartPrometheus starts a server with a configuration file, and returns when it answers. Its log
// goes to log; nil discards it.
func StartPrometheus(ctx context.Context, config string, log io.Writer) (_ *Prometheus, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("start Prometheus: %w", err)
		}
	}()
	program, err := PrometheusProgram(ctx, os.Stderr, "prometheus")
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	dir, err := newTempDir("prometheus", nil)
	if err != nil {
		return nil, err
	}
	p := &Prometheus{URL: "http://127.0.0.1:" + strconv.Itoa(port), dir: dir}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(dir.path, "data"), "--web.listen-address=127.0.0.1:"+strconv.Itoa(port))
	cmd.Dir = dir.path
	if p.Process, err = StartProcess(cmd, log); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	if err := p.waitReady(ctx); err != nil {
		return nil, errors.Join(err, p.Stop(ctx))
	}
	return p, nil
}

func (p *Prometheus) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("it wasn't ready within a minute"))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/-/ready", http.NoBody)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(q); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("it ended by itself (%w): %s", p.err, p.tail)
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", context.Cause(ctx), p.tail)
		}
	}
}

// Stop ends it and removes its data.
func (p *Prometheus) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return errors.Join(p.Process.Stop(ctx), p.dir.remove())
}
