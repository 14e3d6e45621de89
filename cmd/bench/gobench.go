package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os/exec"
	"path"
	"strconv"
	"strings"
)

// measureCode runs the Go benchmarks of what has goals of its own and doesn't show in a whole
// process.
func (b *bench) measureCode(ctx context.Context) error {
	b.say("Go benchmarks of runtime/workflow and runtime/activity")
	workflows, err := goBenchmarks(ctx, "./runtime/workflow", 20, "BenchmarkReplay1000Events")
	if err != nil {
		return err
	}
	cached, err := goBenchmarks(ctx, "./runtime/workflow", 1, "BenchmarkCachedRun")
	if err != nil {
		return err
	}
	activities, err := goBenchmarks(ctx, "./runtime/activity", 1000, "BenchmarkBuiltIn", "BenchmarkPlain", "BenchmarkWithSDK", "BenchmarkColdLoad")
	if err != nil {
		return err
	}
	const cpu = " cpu-µs/op"
	goal := func(limit float64, unit string) yardstick { return yardstick{goal: figure(limit, unit), limit: limit} }
	b.report.add("memory of a cached, waiting execution", "KB", goal(60, "KB"), math.NaN(), cached["BenchmarkCachedRun B/run"]/1000)
	b.report.add("CPU of replaying 1,000 events", "ms", goal(100, "ms"), math.NaN(), workflows["BenchmarkReplay1000Events"+cpu]/1000)
	native := activities["BenchmarkBuiltIn"+cpu] / 1000
	b.report.add("CPU of a JavaScript activity beside a Go one", "ms", goal(1, "ms"), native, activities["BenchmarkPlain"+cpu]/1000)
	b.report.add("… that uses @temporalio/activity", "ms", goal(1, "ms"), native, activities["BenchmarkWithSDK"+cpu]/1000)
	b.report.add("… from its text to its first result", "ms", yardstick{}, math.NaN(), activities["BenchmarkColdLoad"+cpu]/1000)
	return nil
}

// goBenchmarks runs benchmarks of a package so many times each, and gives their figures by name and
// unit.
func goBenchmarks(ctx context.Context, pkg string, times int, names ...string) (map[string]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^("+strings.Join(names, "|")+")$", "-benchtime", strconv.Itoa(times)+"x", pkg)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go test of %s: %w\n%s%s", path.Base(pkg), err, out, stderr.Bytes())
	}
	return benchmarkFigures(string(out)), nil
}

// benchmarkFigures reads what `go test -bench` prints: by the benchmark's name, a space and the
// unit.
func benchmarkFigures(out string) map[string]float64 {
	figures := map[string]float64{}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name, _, _ := strings.Cut(fields[0], "-")
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				figures[name+" "+fields[i+1]] = v
			}
		}
	}
	return figures
}
