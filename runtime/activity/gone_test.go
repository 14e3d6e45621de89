package activity

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

// Nobody waits for what an attempt does that Temporal has timed out: it ends soon after, whatever
// the grace of one that was told to end.
func TestAnAttemptThatTimedOutComputesNoFurther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		cancel bool // before
	}{
		"in turns":            {body: `for (;;) { for (let i = 0; i < 10000; i++); await new Promise((r) => setImmediate(r)); }`},
		"without a pause":     {body: `for (;;) {}`},
		"waiting":             {body: `await new Promise((r) => setTimeout(r, 1e9))`},
		"with its timers":     {body: `setInterval(() => { for (let i = 0; i < 10000; i++); }, 0); await new Promise(() => {})`},
		"although cancelled":  {`for (;;) await new Promise((r) => setTimeout(r, 10))`, true},
		"whatever it catches": {body: `for (;;) try { await new Promise((r) => setTimeout(r, 10)); } catch {} finally { for (let i = 0; i < 10000; i++); }`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			defer cancel()
			if c.cancel {
				cancel()
			}
			over := code(t, `export async function main() { `+c.body+` }`, CodeOptions{Grace: time.Hour, SliceBudget: 9 * time.Second, CPUBudget: time.Hour})
			ended := make(chan error, 1)
			go func() {
				_, err := over.Execute(ctx, "main", nil)
				ended <- err
			}()
			select {
			case err := <-ended:
				if err == nil {
					t.Error("it came to a good end")
				}
			case <-time.After(8 * time.Second): // before a limit of CPU time ends it
				t.Error("it goes on")
			}
		})
	}
}

// One that doesn't heartbeat as it should has timed out without a word to it.
func TestAMissedHeartbeatIsNoticed(t *testing.T) {
	t.Parallel()
	var silent, beats instance
	missed := make(chan struct{})
	var wrong atomic.Bool
	defer beats.watchHeartbeats(time.Second, func() { wrong.Store(true) }).Stop()
	beats.beat.Store(time.Now().Add(time.Hour).UnixNano())
	defer silent.watchHeartbeats(1500*time.Millisecond, func() { close(missed) }).Stop()
	select {
	case <-missed:
	case <-time.After(time.Minute):
		t.Fatal("nobody noticed")
	}
	if wrong.Load() {
		t.Error("one that heartbeats was taken for silent")
	}
}

// What no server would take is cut: the author's words stay, as far as people read.
func TestMessagesOfMegabytesAreCut(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"message": `throw new Error('begins ' + 'x'.repeat(8 << 20))`,
		"causes":  `let e: any; for (let i = 0; i < 8; i++) e = new Error('begins ' + 'x'.repeat(1 << 20), { cause: e }); throw e`,
		"value":   `throw 'begins ' + 'x'.repeat(8 << 20)`,
		"result":  `return { toJSON() { return undefined }, toString: () => 'begins ' + 'x'.repeat(8 << 20) }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := evaluate(t, CodeOptions{}, body)
			if err == nil {
				t.Fatal("it came to a good end")
			}
			f := temporal.GetDefaultFailureConverter().ErrorToFailure(err)
			if size := proto.Size(f); size > 1<<20 || !strings.Contains(f.GetMessage(), "begins x") {
				t.Errorf("%d bytes: %.200s", size, f.GetMessage())
			}
		})
	}
}
