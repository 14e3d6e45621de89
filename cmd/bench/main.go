// Command bench measures the service as a whole process against the yardsticks
// of its design, on servers that it starts itself, and prints one table:
//
//	go run ./cmd/bench                        # everything, some minutes
//	go run ./cmd/bench -parts reload -reloads 50
//	go run ./cmd/bench -parts reload -projects 1,100,500 -load 20
//	go run ./cmd/bench -parts memory -memory 100,500,1000
//	go run ./cmd/bench -parts start           # a thousand projects at once, and who uses the processors
//	go run ./cmd/bench -parts waiting         # 300 projects with a waiting execution each; -waiting 1000
//	go run ./cmd/bench -parts edits           # one project edited often, and many of its workflows at once
//	go run ./cmd/bench -parts hoard           # one project fills memory beside 100 others
//	go run ./cmd/bench -parts beside          # one project does its worst in many ways beside others; -ways endless,children
//	go run ./cmd/bench -parts executions      # started and followed by rows
//	go run ./cmd/bench -parts cells           # JavaScript in a process of its own, beside without
//	go run ./cmd/bench -parts outage -outage 60s
//
// The service runs as its own binary and, as the limit of what is possible, a
// second process runs the same workflows written in Go; CPU and memory are read
// from /proc for each, children included. This process writes the rows, starts
// the workflows and checks their results; a wrong result, a failed workflow or a
// lost task makes it exit with 1. A goal that was missed doesn't: on a machine
// that has other work, compare with the native figures of the same run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"workflow-worker/docker/stack"
)

func init() { stack.EndWithParent() }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == nativeCommand {
		err = serveNative(ctx, os.Args[2:], os.Stdin, os.Stdout)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout)
	}
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	binary   string
	parts    []string
	reloads  int
	projects []int // running during the reloads
	waiting  int   // projects with a waiting execution each, in part waiting
	load     int   // workflows started per second beside them
	memory   []int // numbers of projects at which memory is read
	scale    float64
	outage   time.Duration
	native   bool
	cells    int      // of the service; negative: as many as it has by default
	ways     []string // in part beside; none: all
	settings []string // of the service, NAME=value
	verbose  bool
}

// The parts, in the order in which they run.
var allParts = []string{"code", "first", "cpu", "computing", "memory", "start", "waiting", "hoard", "beside", "executions", "reload", "edits", "cells", "placement", "outage"}

func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	var parts, memory, projects string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.binary, "binary", "bin/workflow-worker", "the service")
	f.StringVar(&parts, "parts", strings.Join(allParts, ","), "what to measure")
	f.IntVar(&o.reloads, "reloads", 200, "changes of code, in part reload")
	f.StringVar(&projects, "projects", "100,500", "numbers of projects running in part reload, rising; 1,100,500 for the whole")
	f.IntVar(&o.load, "load", 0, "workflows with an activity started per second on these projects in part reload")
	f.IntVar(&o.waiting, "waiting", 300, "projects with a waiting execution each, in part waiting")
	f.StringVar(&memory, "memory", "100,500", "numbers of projects at which memory is read, rising; 100,500,1000 for the whole")
	f.Float64Var(&o.scale, "scale", 1, "factor for the numbers of workflows in part cpu")
	f.DurationVar(&o.outage, "outage", 20*time.Second, "how long Temporal is away in part outage")
	f.BoolVar(&o.native, "native", true, "measure the same workflows written in Go, too")
	f.IntVar(&o.cells, "cells", -1, "CELLS of the service, except in part cells; negative: the default")
	f.Func("ways", "`names` of what is done in part beside, with commas; all without", func(text string) error {
		for name := range strings.SplitSeq(text, ",") {
			if !slices.ContainsFunc(besideWays, func(w besideWay) bool { return w.name == name }) {
				return fmt.Errorf("no way %q", name)
			}
			o.ways = append(o.ways, name)
		}
		return nil
	})
	f.Func("set", "NAME=value, a `setting` of the service; may be given again", func(text string) error {
		if name, _, ok := strings.Cut(text, "="); !ok || name == "" {
			return errors.New("must be NAME=value")
		}
		o.settings = append(o.settings, text)
		return nil
	})
	f.BoolVar(&o.verbose, "v", false, "pass on the service's log")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	for part := range strings.SplitSeq(parts, ",") {
		if !slices.Contains(allParts, part) {
			return o, fmt.Errorf("-parts: no part %q; there are %s", part, strings.Join(allParts, ", "))
		}
		o.parts = append(o.parts, part)
	}
	var err error
	if o.memory, err = rising("-memory", memory); err != nil {
		return o, err
	}
	if o.projects, err = rising("-projects", projects); err != nil {
		return o, err
	}
	if o.reloads < 1 || o.waiting < 1 || o.load < 0 || o.scale <= 0 {
		return o, errors.New("-reloads, -waiting and -scale must be positive, -load not negative")
	}
	return o, nil
}

// rising reads a flag's list of numbers.
func rising(name, list string) (numbers []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || len(numbers) > 0 && n <= numbers[len(numbers)-1] {
			return nil, fmt.Errorf("%s: %q is not a rising list of numbers", name, list)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	o, err := parseOptions(args, out)
	if err != nil {
		return err
	}
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("%s is not there: run `make build` first", o.binary)
	}
	b := &bench{options: o, progress: os.Stderr}
	if err := b.start(ctx); err != nil {
		return errors.Join(err, b.stop(ctx))
	}
	defer func() { err = errors.Join(err, b.stop(ctx)) }()

	began := time.Now()
	parts := map[string]func(context.Context) error{
		"code": b.measureCode, "first": b.measureFirst, "cpu": b.measureCPU, "computing": b.measureComputing, "memory": b.measureMemory,
		"start":   b.measureStart,
		"waiting": b.measureWaiting, "hoard": b.measureHoard, "beside": b.measureBeside, "executions": b.measureExecutions, "reload": b.measureReload, "edits": b.measureEdits, "cells": b.measureCells, "placement": b.measurePlacement, "outage": b.measureOutage,
	}
	var failed error
	for _, part := range allParts {
		if !slices.Contains(o.parts, part) {
			continue
		}
		// The other parts' figures are worth having when one fails.
		if err := parts[part](ctx); err != nil {
			failed = errors.Join(failed, fmt.Errorf("part %s: %w", part, err))
			if ctx.Err() != nil {
				break
			}
		}
	}
	b.report.print(out, time.Since(began))
	return failed
}
