package stacktest

import (
	"testing"
	"time"
)

// Eventually waits until f has no error: a test waits for conditions, never for durations. What
// never comes fails the test with f's last word.
func Eventually(t testing.TB, what string, f func() error) {
	t.Helper()
	const patience, most = 90 * time.Second, 20 * time.Millisecond
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, most) {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s: %v", what, err)
		}
		time.Sleep(pause)
	}
}

// Next waits for what a channel gives next, for a minute.
func Next[T any](t testing.TB, what string, from <-chan T) (next T) {
	t.Helper()
	select {
	case next = <-from:
	case <-time.After(time.Minute):
		t.Fatalf("never: %s", what)
	}
	return next
}
