package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/program"
)

// service is the process under measurement.
type service struct{ *program.Service }

func startService(ctx context.Context, binary string, log io.Writer, settings map[string]string) (*service, error) {
	port, err := stack.FreePort()
	if err != nil {
		return nil, err
	}
	// Without our own environment: what is measured are the defaults.
	o := program.Options{File: binary, Port: port, Log: log}
	for name, value := range settings {
		o.Environment = append(o.Environment, name+"="+value)
	}
	started, err := program.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := started.WaitReady(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", binary, err), started.End(ctx))
	}
	return &service{started}, nil
}

// metrics reads /metrics: every series as it is written there, with its value.
func (s *service) metrics(ctx context.Context) (map[string]float64, error) {
	status, body, err := s.Get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("/metrics answers %d: %s", status, body)
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
