package main

import (
	"fmt"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
)

// What a row asks for of its start Temporal does, and the row stays with the execution through all
// runs that come of it.
func TestARowStaysWithWhatItsOptionsMakeOfIt(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	startService(t, url)
	w := newBuilder(t, url).project().workflow("persistent", `
import { workflowInfo, ApplicationFailure, condition, defineSignal, setHandler } from '@temporalio/workflow';
export async function persistent(input: { attempts?: number; wait?: boolean }): Promise<number> {
  if (workflowInfo().attempt < (input.attempts ?? 1)) throw ApplicationFailure.create({ message: 'not yet' });
  let go = false;
  setHandler(defineSignal('go'), () => { go = true; });
  if (input.wait) await condition(() => go);
  return workflowInfo().attempt;
}`)
	first := func(id string) (run string, attempt int) {
		t.Helper()
		if err := w.db.QueryRow(t.Context(), `SELECT first_run_id, coalesce(attempt, 0) FROM workflow_executions WHERE id = $1`, id).Scan(&run, &attempt); err != nil {
			t.Fatal(err)
		}
		return run, attempt
	}
	t.Run("tried again until it is well", func(t *testing.T) {
		got := w.becomes(w.starts(`{"attempts": 3}`, `{"retry": {"initialInterval": "10ms", "maximumAttempts": 5}}`), "completed")
		if got.Output != "3" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("or has been tried often enough", func(t *testing.T) {
		id := w.starts(`{"attempts": 9}`, `{"retry": {"initialInterval": "10ms", "maximumAttempts": 2}}`)
		got := w.becomes(id, "failed")
		if run, attempt := first(id); got.Message != "not yet" || run == got.RunID || attempt != 2 {
			t.Errorf("%+v, attempt %d, first run %s", got, attempt, run)
		}
	})
	t.Run("time and again, until it is cancelled", func(t *testing.T) {
		id := w.starts(nil, `{"cronSchedule": "@every 1s"}`)
		eventually(t, "there is a second run", func() error {
			got, err := w.execution(id)
			if err != nil || got.Status != "running" || got.RunID == "" {
				return fmt.Errorf("%+v, %w", got, err)
			}
			if run, _ := first(id); run == got.RunID {
				return fmt.Errorf("its first run is the newest: %s", run)
			}
			return nil
		})
		if status, _, reason := w.asksOf(id, "terminate", "", nil); status != "completed" {
			t.Errorf("terminate: %s", reason)
		}
		w.becomes(id, "failed")
	})
	t.Run("later", func(t *testing.T) {
		id := w.starts(nil, `{"startDelay": "2s"}`)
		got := w.becomes(id, "running")
		if got.Version != "" {
			t.Errorf("a task was done before its time: %+v", got)
		}
		if got := w.becomes(id, "completed"); got.Duration < 1000 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("what Temporal doesn't take is said", func(t *testing.T) {
		for options, want := range map[string]string{
			`{"searchAttributes": {"NoSuchAttribute": "x"}}`:                                        "NoSuchAttribute",
			`{"cronSchedule": "now and then"}`:                                                      "CronSchedule",
			`{"retry": {"initialInterval": "2s", "maximumInterval": "1s"}}`:                         "nterval",
			`{"priority": {"priorityKey": -1}}`:                                                     "riority",
			`{"cronSchedule": "@every 1s", "startDelay": "1s"}`:                                     "elay",
			`{"workflowId": "` + strings.Repeat("x", 300) + `"}`:                                    "255",
			`{"workflowId": "with \"quotes\""}`:                                                     "quotation mark",
			`{"workflowIdReusePolicy": "TERMINATE_IF_RUNNING", "workflowIdConflictPolicy": "FAIL"}`: "olicy",
		} {
			if got := w.becomes(w.starts(nil, options), "failed"); !strings.Contains(got.Message, want) || got.RunID != "" {
				t.Errorf("%s: %+v", options, got)
			}
		}
	})
	t.Run("any id that Temporal takes", func(t *testing.T) {
		for _, id := range []string{"ä€😀-" + w.id, "a b%_'c-" + w.id, strings.Repeat("é", 255)} {
			row := w.starts(`{"wait": true}`, map[string]any{"workflowId": id})
			if got := w.becomes(row, "running"); got.TemporalID != id {
				t.Errorf("%+v", got)
			}
			if status, _, why := w.asksOf(row, "signal", "go", nil); status != "completed" {
				t.Errorf("signal to %s: %s", id, why)
			}
			w.becomes(row, "completed")
		}
	})
	t.Run("what was refused, once it is mended", func(t *testing.T) {
		id := w.starts(nil, `{"workflowId": 7, "wrong": true}`)
		w.becomes(id, "failed")
		w.exec(`UPDATE workflow_executions SET status = 'pending', options = NULL, temporal_workflow_id = NULL WHERE id = $1`, id)
		if got := w.becomes(id, "completed"); got.TemporalID != "persistent-"+id || got.Message != "" || got.Error != "" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("one that takes an id over", func(t *testing.T) {
		one := w.starts(`{"wait": true}`, `{"workflowId": "taken-`+w.id+`"}`)
		w.becomes(one, "running")
		w.becomes(w.starts(nil, `{"workflowId": "taken-`+w.id+`", "workflowIdConflictPolicy": "TERMINATE_EXISTING"}`), "completed")
		w.becomes(one, "failed")
	})
	t.Run("two rows of one execution", func(t *testing.T) {
		one := w.starts(`{"wait": true}`, `{"workflowId": "shared-`+w.id+`"}`)
		w.becomes(one, "running")
		two := w.starts(`{"wait": true}`, `{"workflowId": "shared-`+w.id+`", "workflowIdConflictPolicy": "USE_EXISTING", "workflowIdReusePolicy": "ALLOW_DUPLICATE"}`)
		if a, b := w.becomes(one, "running"), w.becomes(two, "running"); a.RunID != b.RunID {
			t.Errorf("%+v and %+v", a, b)
		}
		w.asksOf(two, "signal", "go", nil)
		w.becomes(one, "completed")
		w.becomes(two, "completed")
	})
}
