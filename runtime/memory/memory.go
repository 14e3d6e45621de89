// Package memory has what this process does about its memory as a whole: how much it may use, how
// many executions fit into it, and when Go's collector works. What one execution may use is
// runtime/sandbox's. It imports nothing of ours.
package memory

import (
	"bufio"
	"bytes"
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"
)

const (
	// runBytes is what a cached execution takes, generously (see BenchmarkCachedRun in
	// runtime/workflow).
	runBytes = 128 << 10
	// The cache is one for all projects. Below the least, even a small service would replay all the
	// time.
	leastCache, mostCache = 500, 20_000
)

// WorkflowCacheSize is how many executions stay in memory between their tasks: as many as fit into
// a quarter of the memory that this process may use.
func WorkflowCacheSize() int { return cacheSize(Limit()) }

func cacheSize(limit int64) int {
	return int(min(max(limit/4/runBytes, leastCache), mostCache))
}

// Limit is the least of GOMEMLIMIT, the control group's limit and the machine's memory, in
// bytes.
func Limit() int64 {
	limit := debug.SetMemoryLimit(-1)
	if limit <= 0 {
		limit = math.MaxInt64
	}
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64); err == nil {
			limit = min(limit, n)
		}
	}
	if n := machineMemory(); n > 0 {
		limit = min(limit, n)
	}
	return limit
}

// machineMemory reads MemTotal; 0 where there is no /proc.
func machineMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) >= 2 && string(fields[0]) == "MemTotal:" {
			kb, err := strconv.ParseInt(string(fields[1]), 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}

const (
	checkEvery = time.Second
	// idleBytes is what a service at rest allocates between two checks at most.
	idleBytes = 1 << 20
	// trimBytes is how much must have been allocated since the last time to make it worth a
	// collection, where little is in use; else it is a part of that: what is in use is what a
	// collection takes its time for.
	trimBytes = 8 << 20
	trimPart  = 4
	// headroom is how much garbage may gather before a collection, where the heap is small: by
	// itself the collector would allow as much as is in use, and spend a fifth of a small service's
	// time.
	headroom      = 96 << 20
	mostGCPercent = 400
	// collected is the part of the limit from which on the collector works as much as it must: by
	// itself it knows of no control group, and lets garbage grow to what is in use.
	collected = 0.9
)

// Tune trades memory for CPU while there is work, and gives it back to the system when there
// is none, until ctx ends; near the limit it is the other way round. What GOGC and GOMEMLIMIT say
// goes before. From then on Limit is less.
func Tune(ctx context.Context) {
	ticks := time.NewTicker(checkEvery)
	defer ticks.Stop()
	_, fixed := os.LookupEnv("GOGC")
	if _, fixed := os.LookupEnv("GOMEMLIMIT"); !fixed {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(int64(collected * float64(Limit()))))
	}
	var trimmed, before uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		now, live := heap()
		if !fixed {
			debug.SetGCPercent(gcPercent(live))
		}
		if now-before < idleBytes && now-trimmed > trimAfter(live) {
			debug.FreeOSMemory()
			trimmed = now
		}
		before = now
	}
}

// trimAfter is how much garbage may gather at rest beside so many live bytes.
func trimAfter(live uint64) uint64 { return max(trimBytes, live/trimPart) }

// gcPercent is GOGC for a heap with so many live bytes.
func gcPercent(live uint64) int {
	return int(min(max(100*headroom/max(live, 1), 100), mostGCPercent))
}

// Used is how many bytes are in use that no collection would give back: what the last one found in
// use, and stacks.
func Used() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() + s[1].Value.Uint64())
}

// heap is how many bytes were ever allocated, and how many the last collection found in use.
func heap() (allocated, live uint64) {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64(), s[1].Value.Uint64()
}
