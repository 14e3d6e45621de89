package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"

	"workflow-worker/docker/stack"
)

func init() { stack.EndWithParent() }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := run(ctx, os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	binary   string
	run      *regexp.Regexp
	verbose  bool
	uncached bool
	diff     bool
	list     bool
	parallel int
	log      string
}

func parseOptions(args []string, out io.Writer) (o options, err error) {
	f := flag.NewFlagSet("conformance", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.binary, "binary", "bin/workflow-worker", "the service")
	name := f.String("run", "", "only cases whose `file/name` matches this regular expression")
	f.BoolVar(&o.verbose, "v", false, "show each case")
	f.BoolVar(&o.uncached, "uncached", false, "keep no execution in memory: every workflow task replays")
	f.BoolVar(&o.diff, "diff", false, "compare with Temporal's own worker for Node")
	f.BoolVar(&o.list, "list", false, "name the cases and run none")
	f.IntVar(&o.parallel, "parallel", 16, "cases at once")
	f.StringVar(&o.log, "log", "", "write the service's log to this file")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if o.parallel < 1 {
		return o, errors.New("-parallel must be positive")
	}
	o.run, err = regexp.Compile(*name)
	return o, err
}

// run gives the number of failed cases.
func run(ctx context.Context, args []string, out io.Writer) (failed int, err error) {
	o, err := parseOptions(args, out)
	if err != nil {
		return 0, err
	}
	groups, err := loadGroups()
	if err != nil {
		return 0, err
	}
	r := &report{out: out, verbose: o.verbose}
	groups = choose(groups, o.run)
	if o.list {
		for _, g := range groups {
			for _, c := range g.Cases {
				fmt.Fprintf(out, "%s/%s\n", g.file, c.Name)
			}
		}
		return 0, nil
	}
	if len(groups) == 0 {
		return r.close(), nil
	}
	if _, err := os.Stat(o.binary); err != nil {
		return 0, fmt.Errorf("%s is not there: run `make build` first", o.binary)
	}
	s := &stand{o: o, progress: os.Stderr}
	defer func() {
		if o.log != "" && s.service != nil {
			err = errors.Join(err, os.WriteFile(o.log, []byte(s.service.Log()), 0o644))
		}
		err = errors.Join(err, s.stop(ctx))
	}()
	if err := s.start(ctx); err != nil {
		return 0, err
	}
	if err := s.runAll(ctx, groups, r); err != nil {
		return 0, err
	}
	return r.close(), nil
}

// choose leaves the cases that are to run.
func choose(groups []*group, run *regexp.Regexp) []*group {
	var out []*group
	for _, g := range groups {
		g.Cases = slices.DeleteFunc(g.Cases, func(c *testCase) bool {
			return !run.MatchString(g.file + "/" + c.Name)
		})
		if len(g.Cases) > 0 {
			out = append(out, g)
		}
	}
	return out
}
