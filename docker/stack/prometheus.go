package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// PrometheusTool returns a program of Debian's prometheus package (prometheus, promtool): this
// machine's, else an installed one.
func PrometheusTool(ctx context.Context, progress io.Writer, name string) (string, error) {
	for try := range 2 {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
		if try == 0 {
			if err := InstallPackages(ctx, progress, "prometheus"); err != nil {
				return "", err
			}
		}
	}
	return "", errors.New("the package prometheus brought no " + name)
}

// PrometheusOptions describes a Prometheus of this machine.
type PrometheusOptions struct {
	// Targets are scraped, host:port each, every second.
	Targets []string
	// Rules are rule files.
	Rules []string
	// Dir is for its configuration and data.
	Dir string
	// Log receives its log; nil discards it.
	Log io.Writer
	// Progress receives a line when it must be installed first; nil discards it.
	Progress io.Writer
}

// Prometheus is one that this process started.
type Prometheus struct {
	*Process
	port int
}

// StartPrometheus starts one. It doesn't wait until it answers.
func StartPrometheus(ctx context.Context, o PrometheusOptions) (*Prometheus, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	program, err := PrometheusTool(ctx, o.Progress, "prometheus")
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	quoted := func(list []string) string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	file := filepath.Join(o.Dir, "prometheus.yaml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: %s\nscrape_configs:\n  - job_name: workflow-worker\n    static_configs: [{targets: %s}]\n",
		quoted(o.Rules), quoted(o.Targets))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p := &Prometheus{port: port}
	p.Process, err = StartProcess(exec.Command(program,
		"--config.file="+file, "--storage.tsdb.path="+filepath.Join(o.Dir, "data"), "--web.listen-address="+p.Address()), o.Log)
	return p, err
}

// Address is where it answers, host:port.
func (p *Prometheus) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }
