package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

// inTemporal runs one activity in Temporal's test environment, whose context carries info and
// heartbeats.
func inTemporal(t *testing.T, s *Set, name, input string, set func(*testsuite.TestActivityEnvironment)) error {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	if set != nil {
		set(env)
	}
	env.RegisterActivityWithOptions(func(ctx context.Context, raw json.RawMessage) error {
		_, err := callContext(ctx, t, s, name, string(raw))
		return err
	}, activity.RegisterOptions{Name: name})
	_, err := env.ExecuteActivity(name, json.RawMessage(input))
	return err
}

func TestLogMessageGoesToSlogWithTheWorkflow(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"debug", "info", "warn", "error"} {
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})).With("project_id", "p-1")
		err := inTemporal(t, New(Options{Logger: logger}), "logMessage", `{"level":"`+level+`","message":"charged","data":{"amount":12.50}}`, nil)
		if err != nil {
			t.Fatal(err)
		}
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
		data, _ := line["data"].(map[string]any)
		if line["level"] != strings.ToUpper(level) || line["msg"] != "charged" || line["project_id"] != "p-1" || data["amount"] != 12.5 ||
			line["workflow"] == nil || line["workflow_id"] == nil || line["run_id"] == nil {
			t.Errorf("%s: got %s", level, out.String())
		}
	}
}

func TestWaitForHeartbeats(t *testing.T) {
	t.Parallel()
	beats := make(chan struct{}, 1000)
	ctx, cancel := context.WithCancelCause(context.Background())
	err := inTemporal(t, New(Options{}), "waitFor", `{"milliseconds":3600000}`, func(env *testsuite.TestActivityEnvironment) {
		env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
		env.SetHeartbeatDetails(nil)
		env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) {
			select {
			case beats <- struct{}{}:
			default:
			}
			cancel(temporal.NewCanceledError())
		})
	})
	if !temporal.IsCanceledError(err) {
		t.Fatalf("got %v (%T)", err, err)
	}
	if len(beats) == 0 {
		t.Error("no heartbeat")
	}
}

func TestWaitForWaitsAsLongAsItSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if _, err := call(t, New(Options{}), "waitFor", `{"milliseconds":86400000}`); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 24*time.Hour {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestCancellationEndsAtOnceAsWhatItIs(t *testing.T) {
	t.Parallel()
	server := serverAt(t, "127.0.0.1", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	for _, c := range []struct {
		name, in string
	}{
		{"waitFor", `{"milliseconds":3600000}`},
		{"httpRequest", `{"url":"` + server.URL + `","timeout":3600000}`},
	} {
		for cause, check := range map[error]func(error) bool{
			temporal.NewCanceledError(): temporal.IsCanceledError,
			worker.ErrWorkerShutdown:    isRetryable(WorkerShutdownType),
			activity.ErrActivityPaused:  isRetryable(AttemptInterruptedType),
		} {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(5*time.Millisecond, func() { cancel(cause) })
			_, err := callContext(ctx, t, loopbackSet(Options{}), c.name, c.in)
			if !check(err) {
				t.Errorf("%s, %v: got %v (%T)", c.name, cause, err, err)
			}
		}
	}
}

func isRetryable(errType string) func(error) bool {
	return func(err error) bool {
		var app *temporal.ApplicationError
		return errors.As(err, &app) && app.Type() == errType && !app.NonRetryable()
	}
}

func TestExecuteLeavesItsArgumentsAlone(t *testing.T) {
	t.Parallel()
	in := args(`{"data":{"a": [1]},"transformation":"uppercase"}`)
	out, err := New(Options{}).Execute(context.Background(), "transformData", in)
	if err != nil {
		t.Fatal(err)
	}
	out.Payloads[0].Data[0] = 'X'
	if string(in.Payloads[0].Data) != `{"data":{"a": [1]},"transformation":"uppercase"}` {
		t.Errorf("the result shares memory with the arguments: %s", in.Payloads[0].Data)
	}
}
