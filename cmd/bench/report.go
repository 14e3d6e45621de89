package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// yardstick is a figure of the design's table: what the Node service this one
// replaces needed, what native Go did, and what was set as the goal. "" = none.
type yardstick struct {
	node, native, goal string
	limit              float64 // the goal in the unit of the measurement; 0 = none
}

// report collects what was measured.
type report struct {
	lines []line
	notes []string
}

type line struct {
	what         string
	unit         string
	yardstick    yardstick
	native, ours float64 // measured now; NaN = not measured
}

// add takes a figure; native is NaN where it wasn't measured.
func (r *report) add(what, unit string, y yardstick, native, ours float64) {
	r.lines = append(r.lines, line{what, unit, y, native, ours})
}

func (r *report) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *report) print(out io.Writer, took time.Duration) {
	rows := [][]string{{"", "Node", "native Go", "goal", "native here", "here", "× native", "goal met"}}
	for _, l := range r.lines {
		rows = append(rows, []string{
			l.what, l.yardstick.node, l.yardstick.native, l.yardstick.goal,
			figure(l.native, l.unit), figure(l.ours, l.unit), ratio(l.ours, l.native), l.verdict(),
		})
	}
	fmt.Fprintln(out)
	printTable(out, rows)
	fmt.Fprintln(out)
	for _, n := range r.notes {
		fmt.Fprintln(out, "-", n)
	}
	fmt.Fprintf(out, "- %s; %s; the whole run took %s.\n", machine(), runtime.Version(), took.Round(time.Second))
	fmt.Fprintln(out, "- Node, native Go and goal are the design's figures, from the same kind of machine.")
}

func (l line) verdict() string {
	switch {
	case l.yardstick.limit == 0 || math.IsNaN(l.ours):
		return ""
	case l.ours <= l.yardstick.limit:
		return "yes"
	}
	return "NO"
}

// printTable prints Markdown that is aligned for reading as it is.
func printTable(out io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(out, "| %s%s ", cell, strings.Repeat(" ", widths[i]-len([]rune(cell))))
		}
		fmt.Fprintln(out, "|")
		if n == 0 {
			for _, w := range widths {
				fmt.Fprint(out, "| ", strings.Repeat("-", max(3, w)), " ")
			}
			fmt.Fprintln(out, "|")
		}
	}
}

// figure writes three significant digits.
func figure(v float64, unit string) string {
	if math.IsNaN(v) {
		return "–"
	}
	digits := 0
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e6:
	case a < 1:
		digits = 3
	case a < 10:
		digits = 2
	case a < 100:
		digits = 1
	}
	return strings.TrimSpace(fmt.Sprintf("%.*f %s", digits, v, unit))
}

func ratio(ours, native float64) string {
	if math.IsNaN(native) || math.IsNaN(ours) || native <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", ours/native)
}

// quantile returns the smallest value that the share q of values doesn't exceed.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(max(int(math.Ceil(q*float64(len(sorted))))-1, 0), len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func machine() string {
	model := runtime.GOARCH
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d × %s", runtime.NumCPU(), model)
}
