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
