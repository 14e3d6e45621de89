package activity

import (
	"context"
	"strconv"
	"syscall"
	"testing"
	"time"

	"workflow-worker/activities"
	"workflow-worker/runtime/compile"
)

func benchmark(b *testing.B, text string, o CodeOptions, args ...string) {
	b.Helper()
	c := code(b, text, o)
	payloads := jsonArgs(args...)
	run := func() {
		if _, err := c.Execute(context.Background(), "main", payloads); err != nil && err.Error() != expected {
			b.Fatal(err)
		}
	}
	run()
	b.ReportAllocs()
	began := processCPU(b)
	for b.Loop() {
		run()
	}
	reportCPU(b, began)
}

// expected is the error that a benchmark's activity may end with.
const expected = "expected (type: Error, retryable: true)"

func reportCPU(b *testing.B, began time.Duration) {
	b.Helper()
	b.ReportMetric(float64((processCPU(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
}

// processCPU is what this process has used; the clock says little on a busy machine.
func processCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What the same work costs as a built-in activity.
func BenchmarkBuiltIn(b *testing.B) {
	s := activities.New(activities.Options{})
	args := jsonArgs(`{"message":"hello"}`)
	b.ReportAllocs()
	began := processCPU(b)
	for b.Loop() {
		if _, err := s.Execute(context.Background(), "sampleActivity", args); err != nil {
			b.Fatal(err)
		}
	}
	reportCPU(b, began)
}

func BenchmarkPlain(b *testing.B) {
	benchmark(b, `export async function main({ message }: any) { return 'Processed: ' + message }`, CodeOptions{}, `{"message":"hello"}`)
}

func BenchmarkWithSDK(b *testing.B) {
	benchmark(b, `import { activityInfo } from '@temporalio/activity'; import { ApplicationFailure } from '@temporalio/common';
export async function main({ message }: any) { if (!message) throw new ApplicationFailure('x'); return activityInfo().attempt + message }`, CodeOptions{}, `{"message":"hello"}`)
}

func BenchmarkWithPlatform(b *testing.B) {
	benchmark(b, `export async function main() { const h = new Headers({ a: '1' }); return new URL('/x?a=' + h.get('a'), 'http://b/').href }`, CodeOptions{})
}

func BenchmarkThrowing(b *testing.B) {
	benchmark(b, `export async function main() { throw new Error('expected') }`, CodeOptions{})
}

func BenchmarkFetch(b *testing.B) {
	o := loopback(b)
	url := serve(b, "127.0.0.1", echo)
	benchmark(b, `export async function main() { return (await (await fetch("`+url+`")).json()).length }`, o)
}

// From a component's text to its first result.
func BenchmarkColdLoad(b *testing.B) {
	compiler := compile.New(compile.Config{CacheSize: 1})
	defer compiler.Close()
	n := 0
	b.ReportAllocs()
	began := processCPU(b)
	for b.Loop() {
		n++
		text := `import { log } from '@temporalio/activity'; export async function main() { return ` + strconv.Itoa(n) + ` }`
		p, err := compiler.Compile(context.Background(), compile.Source{Name: "cold.ts", Kind: compile.Activity, Text: text})
		if err != nil {
			b.Fatal(err)
		}
		c := NewCode(p, CodeOptions{})
		if _, err := c.Check(context.Background()); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Execute(context.Background(), "main", nil); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
	reportCPU(b, began)
}

// BenchmarkNewMachine is what the second execution of a code pays for those that follow.
func BenchmarkNewMachine(b *testing.B) {
	c := code(b, `export const main = () => 1`, CodeOptions{})
	b.ReportAllocs()
	began := processCPU(b)
	for b.Loop() {
		if _, err := c.newMachine(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	reportCPU(b, began)
}

// reshaping is an everyday activity on a megabyte: JSON is parsed and reshaped, hashed and written
// as CSV.
const reshaping = `import { createHash } from 'node:crypto';
export async function main() {
  const orders = Array.from({ length: 9000 }, (_, i) => ({ id: i, customer: 'customer ' + (i % 97), city: 'Zürich', tags: ['a', 'b'], lines: [{ sku: 's' + i, amount: i / 2 }] }));
  const text = JSON.stringify(orders);
  const totals = JSON.parse(text).map(({ lines, ...rest }: any) => ({ ...rest, total: lines.reduce((sum: number, l: any) => sum + l.amount, 0) }));
  const sum = createHash('sha256').update(JSON.stringify(totals)).digest('hex');
  const rows = ['id,customer,city,total'];
  for (let i = 0; i < 20000; i++) {
    const t = totals[i % totals.length];
    rows.push([t.id, t.customer, t.city, t.total].map((v) => (/[",\n]/.test(String(v)) ? '"' + String(v).replace(/"/g, '""') + '"' : v)).join(','));
  }
  return [text.length, sum, Buffer.from(rows.join('\n')).toString('base64').length].join();
}`

func BenchmarkReshaping(b *testing.B) { benchmark(b, reshaping, CodeOptions{}) }
