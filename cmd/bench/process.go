package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"workflow-worker/docker/stack"
)

// usage is what a process and its descendants have used.
type usage struct {
	cpu time.Duration
	rss int64 // bytes, now
}

// clockTick is the unit of the times in /proc/<pid>/stat: USER_HZ, which Linux
// fixes at 100 for programs, whatever the kernel's own clock.
const clockTick = 10 * time.Millisecond

// processStat is what we read of one process.
type processStat struct {
	parent    int
	own, dead time.Duration // its own CPU, and that of children it has waited for
	rss       int64
}

// usageOf adds up pid and its descendants: the service compiles in children.
func usageOf(pid int) (usage, error) {
	all := map[int]processStat{}
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return usage{}, err
	}
	for _, entry := range entries {
		id, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			continue
		}
		if stat, err := readStat(id); err == nil { // else it has just ended
			all[id] = stat
		}
	}
	if _, ok := all[pid]; !ok {
		return usage{}, fmt.Errorf("process %d has ended", pid)
	}
	var total usage
	for id, stat := range all {
		if descends(all, id, pid) {
			total.cpu += stat.own + stat.dead
			total.rss += stat.rss
		}
	}
	return total, nil
}

// sharedOnce is the memory of pid and its descendants where what several processes share is divided
// among them: a child that is the same program has the program's pages in common with its parent.
func sharedOnce(pid int) (bytes int64, err error) {
	all := map[int]processStat{}
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		if id, err := strconv.Atoi(filepath.Base(entry)); err == nil {
			if stat, err := readStat(id); err == nil { // else it has just ended
				all[id] = stat
			}
		}
	}
	for id := range all {
		if !descends(all, id, pid) {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", id))
		if err != nil {
			continue // so too
		}
		for line := range strings.Lines(string(text)) {
			var kb int64
			if n, _ := fmt.Sscanf(line, "Pss: %d kB", &kb); n == 1 {
				bytes += kb << 10
			}
		}
	}
	return bytes, nil
}

func descends(all map[int]processStat, id, ancestor int) bool {
	for range len(all) { // a number may be reused while we read
		if id == ancestor {
			return true
		}
		stat, ok := all[id]
		if !ok {
			return false
		}
		id = stat.parent
	}
	return false
}

func readStat(pid int) (processStat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return processStat{}, err
	}
	// The second field is the program's name in parentheses, which may hold anything.
	_, rest, _ := cutLast(string(text), ")")
	fields := strings.Fields(rest)
	const state, ppid, utime, stime, cutime, cstime, rss = 0, 1, 11, 12, 13, 14, 21
	if len(fields) <= rss {
		return processStat{}, fmt.Errorf("/proc/%d/stat: %q", pid, text)
	}
	number := func(i int) int64 {
		n, parseErr := strconv.ParseInt(fields[i], 10, 64)
		if parseErr != nil {
			err = parseErr
		}
		return n
	}
	stat := processStat{
		parent: int(number(ppid)),
		own:    time.Duration(number(utime)+number(stime)) * clockTick,
		dead:   time.Duration(number(cutime)+number(cstime)) * clockTick,
		rss:    number(rss) * int64(os.Getpagesize()),
	}
	return stat, err
}

// settledMemory waits until a process's memory has stopped to move, or for most.
func settledMemory(ctx context.Context, pid int, most time.Duration) (int64, error) {
	const window = 3 * time.Second
	deadline := time.Now().Add(most)
	steady, since := int64(0), time.Now()
	err := stack.WaitFor(ctx, 100*time.Millisecond, func() (bool, error) {
		u, err := usageOf(pid)
		if err != nil {
			return false, err
		}
		if moved := u.rss - steady; moved > steady/100 || moved < -steady/100 {
			steady, since = u.rss, time.Now()
		}
		return time.Since(since) > window || time.Now().After(deadline), nil
	})
	return steady, err
}
