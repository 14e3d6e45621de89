package workflow

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"workflow-worker/runtime/workflow/protocol"

	commonpb "go.temporal.io/api/common/v1"
)

// computes has an execution that takes the processor for a while at each signal, and one that
// hardly does.
const computes = `import { defineSignal, setHandler, condition } from '@temporalio/workflow';
export async function computes(n: number) {
  let sum = 0;
  setHandler(defineSignal<[number]>('add'), (n) => { for (let i = 0; i < n; i++) sum = (sum * 31 + i) % 1e9; });
  await condition(() => false);
}`

// BenchmarkNeighbour reports how long activations of a project take while another one, on the same
// runtimes, computes for some 40 ms in each of its own, one after the other: it is not yet told to
// live apart. Executions of the neighbour are spread over the runtimes.
func BenchmarkNeighbour(b *testing.B) {
	for name, busy := range map[string]bool{"quiet": false, "busy": true} {
		b.Run(name, func(b *testing.B) {
			s := NewRuntimes(RuntimesOptions{})
			defer s.Close()
			bad, good := onRuntimes(b, s, computes), onRuntimes(b, s, computes)
			d := bad.waits("computes")
			defer d.Close()
			rounds := 50_000
			for took := time.Duration(0); took < 40*time.Millisecond; rounds += rounds / 4 { // how fast is it here?
				began := d.in.machine.vm.CPUTime()
				signalled(d, rounds)
				took = d.in.machine.vm.CPUTime() - began
			}
			var neighbours []*definition
			for range 8 {
				x := good.waits("computes")
				defer x.Close()
				neighbours = append(neighbours, x)
			}
			over := make(chan struct{})
			done := make(chan struct{})
			go func() {
				defer close(done)
				for busy {
					select {
					case <-over:
						return
					default:
						signalled(d, rounds)
					}
				}
			}()
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				began := time.Now()
				signalled(neighbours[i%len(neighbours)], 10)
				took = append(took, time.Since(began))
			}
			close(over)
			<-done
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

func signalled(d *definition, n int) {
	d.push(protocol.Signal{Name: "add", Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{protocol.JSONPayload([]byte(strconv.Itoa(n)))}}})
	d.OnWorkflowTaskStarted(0)
}
