package wire

import (
	"fmt"
	"strings"

	historypb "go.temporal.io/api/history/v1"
)

// Foreign says whose an execution is that this service can't go on with: another worker began it,
// so that its history has no pin, and what else is in there is another SDK's.
type Foreign struct {
	sdk, version, identity string
}

// sdkNames are what SDKs call themselves in the history.
var sdkNames = map[string]string{
	"temporal-typescript": "Temporal's TypeScript SDK on Node",
	"temporal-go":         "Temporal's Go SDK",
	"temporal-java":       "Temporal's Java SDK",
	"temporal-python":     "Temporal's Python SDK",
	"temporal-dotnet":     "Temporal's .NET SDK",
	"temporal-ruby":       "Temporal's Ruby SDK",
	"temporal-php":        "Temporal's PHP SDK",
	"temporal-php-2":      "Temporal's PHP SDK",
}

// Foreigner reads from a history's events, from its first on, whether another worker began it; nil
// if this service did, or if nobody has yet.
func Foreigner(events []*historypb.HistoryEvent) *Foreign {
	var found *Foreign
	for _, e := range events {
		if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil && found == nil {
			found = &Foreign{sdk: a.GetSdkMetadata().GetSdkName(), version: a.GetSdkMetadata().GetSdkVersion(), identity: a.GetIdentity()}
		}
		if PinOf(e).Hash != "" {
			return nil
		}
	}
	return found
}

func (f *Foreign) String() string {
	name := sdkNames[f.sdk]
	if name == "" {
		name = f.sdk
	}
	name = strings.TrimSpace(name + " " + f.version)
	switch {
	case name == "" && f.identity == "":
		return "another worker"
	case name == "":
		return "another worker (" + f.identity + ")"
	case f.identity == "":
		return "another worker (" + name + ")"
	}
	return fmt.Sprintf("another worker (%s, %s)", name, f.identity)
}

// HintForeign is what to do about it.
const HintForeign = "Let the worker that began it finish it, on its task queue, while this project is stopped or has another one; or reset the execution " +
	"to its first workflow task, which begins it anew here and repeats what it did; or terminate it."

// Failure is what its tasks fail with.
func (f *Foreign) Failure() *TaskFailure {
	return &TaskFailure{
		Reason: ReasonForeign, Hint: HintForeign,
		Message: "this execution was begun by " + f.String() + ", and what is in its history can't be replayed by this service",
	}
}

// MissingSideEffect is how the SDK words that a history lacks the pin.
const MissingSideEffect = "No cached result found for side effectID"

// Foreign gives what is known of an execution that has no pin.
func (t *Tasks) Foreign(runID string) *Foreign {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if r := t.runs[runID]; r != nil && r.foreign != nil {
			return r.foreign
		}
	}
	return &Foreign{}
}
