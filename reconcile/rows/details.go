package rows

import "fmt"

// CodeRef names a text.
type CodeRef struct {
	Version string `json:"version,omitempty"`
	Hash    string `json:"hash"`
}

func (c CodeRef) String() string {
	if c.Version == "" {
		return fmt.Sprintf("code %.12s", c.Hash)
	}
	return fmt.Sprintf("version %s (%.12s)", c.Version, c.Hash)
}

// Change is one source whose live code changed. From is nil if it had none, To
// if it has none any more.
type Change struct {
	Kind string   `json:"kind"`
	ID   string   `json:"id"`
	Name string   `json:"name"`
	From *CodeRef `json:"from,omitempty"`
	To   *CodeRef `json:"to,omitempty"`
}

// LiveDetails are the details of started and reloaded.
type LiveDetails struct {
	Cause        string   `json:"cause"`
	Milliseconds float64  `json:"milliseconds"`
	Changes      []Change `json:"changes"`
	// More is how many changes are not named.
	More int `json:"more,omitempty"`
}

// BrokenDetails are the details of compile_failed and refused_by_gate.
type BrokenDetails struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
	SourceError
}

// MigratedDetails are the details of migrated.
type MigratedDetails struct {
	Request  string  `json:"request"`
	Workflow string  `json:"workflow"` // workflows.id
	Target   CodeRef `json:"target"`
	Moved    int     `json:"moved"`
	Broken   int     `json:"broken"`
}

// RequestDetails are the details of request_done.
type RequestDetails struct {
	Request string `json:"request"`
	Action  string `json:"action"`
	Status  string `json:"status"`
}

// KeptCodeDetails are the details of stayed.
type KeptCodeDetails struct {
	Workflow   string          `json:"workflow"` // workflows.id
	Target     CodeRef         `json:"target"`
	Executions int64           `json:"executions"`
	Example    BrokenExecution `json:"example"`
}

// FailingDetails are the details of failing.
type FailingDetails struct {
	Workflow string `json:"workflow,omitempty"` // workflows.id
	Failing
}
