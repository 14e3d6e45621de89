package rows

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"workflow-worker/runtime"
)

// Quarantined is an execution, or a project, that isn't tried because of how its code ended
// processes.
type Quarantined struct {
	// Project says that all of the project waits; the rest is of the last death then.
	Project bool `json:"project,omitempty"`
	// WorkflowID and RunID are of the execution; absent if there was none.
	WorkflowID string `json:"workflowId,omitempty"`
	RunID      string `json:"runId,omitempty"`
	// File, Version and Hash are of the code that was under way; absent if they aren't known.
	File    string `json:"file,omitempty"`
	Version string `json:"version,omitempty"`
	Hash    string `json:"hash,omitempty"`
	// Deaths are the processes that ended meanwhile; Until is when it is tried again.
	Deaths int       `json:"deaths"`
	Until  time.Time `json:"until"`
	// Cause is how the last ended, Words are its last lines.
	Cause string `json:"cause"`
	Words string `json:"words,omitempty"`
}

// maxQuarantined is how many a row shows.
const maxQuarantined = 20

// NewQuarantined is what rows show of those who wait.
func NewQuarantined(list []runtime.Suspect) (out []Quarantined) {
	for _, x := range list {
		out = append(out, Quarantined{
			Project:    x.Project,
			WorkflowID: x.Entry.WorkflowID, RunID: x.Entry.RunID, File: x.Entry.File, Hash: x.Entry.Hash,
			Deaths: x.Deaths, Until: x.Until.UTC().Truncate(time.Second), Cause: Bounded(x.Cause), Words: Bounded(x.Words),
		})
	}
	slices.SortFunc(out, func(a, b Quarantined) int {
		return cmp.Or(cmp.Compare(a.WorkflowID, b.WorkflowID), cmp.Compare(a.RunID, b.RunID), cmp.Compare(a.Hash, b.Hash))
	})
	return out[:min(len(out), maxQuarantined)]
}

// Problem puts it into a line; many is how many there are.
func (q Quarantined) Problem(many int) string {
	text := fmt.Sprintf("quarantined: execution %s ended the process that it ran in %d times, in %s", q.WorkflowID, q.Deaths, cmp.Or(q.File, "its code"))
	if many > 1 {
		text += fmt.Sprintf(" (and %d more)", many-1)
	}
	return text + ": " + q.Cause
}

// WithVersions says of which version the codes are that a row knows.
func WithVersions(list []Quarantined, m Metadata) []Quarantined {
	if len(list) == 0 {
		return nil
	}
	versions := map[string]string{}
	for _, s := range m.Workflows {
		for _, old := range s.Superseded {
			versions[old.Hash] = old.Version
		}
		versions[s.Hash] = s.Version
	}
	out := slices.Clone(list)
	for i := range out {
		out[i].Version = versions[out[i].Hash]
	}
	return out
}
