package wire

import (
	"fmt"
	"strings"
	"time"

	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Title names code to people: its file, what they call this version of it, and the beginning of its
// hash.
func Title(file, version, hash string) string {
	return fmt.Sprintf("%s (%.12s)", strings.TrimSpace(file+" "+version), hash)
}

// failedAttempt is an activity's.
type failedAttempt struct {
	code string
	at   time.Time
}

// ActivityFailed says which code an activity's attempt ran that has just failed: the failure that
// goes to the server will name it.
func (t *Tasks) ActivityFailed(token []byte, code string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.sweep(now)
	t.failed[string(token)] = failedAttempt{code, now}
}

// nameCode names the code that failed in the failure of an activity's attempt.
func (t *Tasks) nameCode(r *workflowservice.RespondActivityTaskFailedRequest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token := string(r.GetTaskToken())
	if f, ok := t.failed[token]; ok {
		delete(t.failed, token)
		ranIn(r.GetFailure(), f.code)
	}
}

// nameWorkflow does the same for an execution that fails.
func (t *Tasks) nameWorkflow(r *workflowservice.RespondWorkflowTaskCompletedRequest) {
	for _, c := range r.GetCommands() {
		if a := c.GetFailWorkflowExecutionCommandAttributes(); a != nil {
			if k, _ := t.cached(r.GetTaskToken()); k != nil {
				if title, last, ok := k.Code(); ok {
					ranIn(a.GetFailure(), Title(title, "", last.Hash))
				}
			}
		}
	}
}

// ranIn adds the code as the stack's last line: the message is what the author's code reads and
// compares.
func ranIn(f *failurepb.Failure, code string) {
	if f != nil && code != "" {
		f.StackTrace = strings.TrimPrefix(f.GetStackTrace()+"\n    in "+code, "\n")
	}
}
