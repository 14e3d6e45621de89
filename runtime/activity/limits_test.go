package activity

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// What a limit ends must say which setting to change, in the failure itself: nobody reads the
// causes first.
func TestFailuresByALimitNameItsSetting(t *testing.T) {
	t.Parallel()
	endless := serve(t, "127.0.0.1", serveEndless)
	for setting, body := range map[string]string{
		"ACTIVITY_MAX_RESULT_BYTES":   `return 'x'.repeat(3000)`,
		"ACTIVITY_MAX_RESPONSE_BYTES": `await (await fetch("` + endless + `")).text()`,
		"ACTIVITY_MAX_REQUESTS":       `await Promise.all([1, 2, 3].map(() => fetch("` + endless + `")))`,
		"ACTIVITY_CPU_TIMEOUT":        `for (;;);`,
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			o := loopback(t)
			o.MaxResultBytes, o.MaxResponseBytes, o.MaxRequests, o.SliceBudget = 2000, 100_000, 2, 50*time.Millisecond
			_, err := evaluate(t, o, body)
			if err == nil || !strings.Contains(failureOf(t, err).GetMessage(), setting) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func serveEndless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 1<<14)); err != nil {
			return
		}
	}
}
