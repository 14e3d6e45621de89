package rows

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"workflow-worker/runtime"
)

// Metadata is the JSON in workflow_workers.metadata: what the Workflow Builder
// shows of a project's worker. An example:
//
//	{
//	  "schema": 1,
//	  "replica": "worker-7d9f/1",
//	  "error": "workflow send-invoice: would break 1 running executions (of 3 that were tried); …",
//	  "workflows": [
//	    {"id": "5f0c…", "name": "order-intake", "version": "1.0.4", "hash": "9b1d…",
//	     "codeId": "e1f0…", "since": "2026-11-22T21:00:03.114Z", "types": ["order-intake", "orderIntake"],
//	     "versioningBehavior": "pinned",
//	     "failing": {"executions": 10, "since": "2026-11-22T21:00:04.002Z", "example": {"workflowId": "order-7", "runId": "11c2…",
//	       "type": "order-intake", "version": "1.0.4", "hash": "9b1d…", "reason": "exception", "message": "TypeError: …",
//	       "file": "order-intake.ts", "line": 12, "column": 7}},
//	     "superseded": [{"version": "1.0.3", "hash": "77e2…", "supersededAt": "2026-11-22T21:00:03.114Z", "executions": 12}]},
//	    {"id": "77aa…", "name": "send-invoice", "version": "2.1.0", "hash": "0c44…",
//	     "codeId": "c901…", "since": "2026-11-20T08:14:55.002Z", "types": ["send-invoice", "sendInvoice"],
//	     "versioningBehavior": "auto_upgrade",
//	     "error": {"version": "2.1.1", "message": "would break 1 running executions (of 3 that were tried); …", "checked": 3,
//	               "broken": [{"workflowId": "invoice-7", "runId": "3b0f…", "event": 11, "reason": "…"}]}}
//	  ],
//	  "components": [
//	    {"id": "c2b7…", "name": "scoreCustomer", "hash": "41fe…",
//	     "since": "2026-11-22T20:58:41.871Z", "types": ["scoreCustomer"], "shared": true,
//	     "warning": {"message": "sleep is not defined", "file": "scoreCustomer.ts", "line": 4, "column": 9,
//	                 "more": [{"message": "…", "file": "scoreCustomer.ts", "line": 9, "column": 3}]}}
//	  ],
//	  "quarantined": [{"workflowId": "order-9", "runId": "5c1e…", "file": "order-intake.ts", "version": "1.0.4", "hash": "9b1d…",
//	                   "deaths": 2, "until": "2026-11-22T21:14:00Z", "cause": "exit status 2", "words": "fatal error: …"}],
//	  "lastReload": {"at": "2026-11-22T21:00:03.114Z", "action": "reload",
//	                 "cause": "workflow order-intake changed from version 1.0.3 to 1.0.4", "milliseconds": 9.3},
//	  "restartRequest": "b0a1…",
//	  "lastMove": 17,
//	  "heartbeatSeconds": 30
//	}
//
// Fields may be added; the meaning of these stays while schema does.
type Metadata struct {
	// Schema is the version of this format: 1.
	Schema int `json:"schema"`
	// Replica is the name of the process that wrote the row.
	Replica string `json:"replica"`
	// Error says in one line what is wrong: with status failed, why the worker
	// doesn't run; else the first thing that isn't as the rows want it. Absent
	// if all is well.
	Error string `json:"error,omitempty"`
	// Workflows and Components have one entry for each that the project has.
	Workflows  []SourceState `json:"workflows"`
	Components []SourceState `json:"components"`
	// Polls says since when the worker can't ask Temporal for tasks, and why. Absent
	// if it can.
	Polls *PollFailure `json:"polls,omitempty"`
	// Failing are executions that get no further and are of no workflow above: of a
	// type that none serves, or of one that is gone.
	Failing *Failing `json:"failing,omitempty"`
	// Quarantined is who isn't tried for a while, because its code ended processes: executions, or all
	// of the project; at most 20.
	Quarantined []Quarantined `json:"quarantined,omitempty"`
	// LastReload is when code last went live here, and why.
	LastReload *ReloadState `json:"lastReload,omitempty"`
	// RestartRequest is the newest restart request that was there when the
	// worker started: it, and every older one, is satisfied.
	RestartRequest string `json:"restartRequest,omitempty"`
	// LastMove is how far the worker knows the executions that were told to move:
	// workflow_execution_moves.seq.
	LastMove int64 `json:"lastMove,omitempty"`
	// HeartbeatSeconds is the interval of this replica's heartbeat: silent for three of
	// them, it is dead.
	HeartbeatSeconds float64 `json:"heartbeatSeconds,omitempty"`
}

// SourceState is one workflow or component. Version, Hash, Since and Types are
// of what is live, or of what a stopped worker ran last, and absent if nothing
// is; Error is of the newest text, and present only if that is not what is
// live.
type SourceState struct {
	ID      string     `json:"id"`   // workflows.id or components.id
	Name    string     `json:"name"` // kebab name, or the component's name
	Version string     `json:"version,omitempty"`
	Hash    string     `json:"hash,omitempty"`   // of the text, as executions are pinned to it
	CodeID  string     `json:"codeId,omitempty"` // row of workflow_compiled_code that it came from
	Since   *time.Time `json:"since,omitempty"`
	Types   []string   `json:"types,omitempty"` // workflow types, or activity types, that it serves
	Shared  bool       `json:"shared,omitempty"`
	// VersioningBehavior is what new code means for a workflow's running
	// executions: pinned or auto_upgrade, as the row says, else the live code.
	VersioningBehavior string `json:"versioningBehavior,omitempty"`
	// Superseded are older texts that open executions are on; see Superseded.
	Superseded []Superseded `json:"superseded,omitempty"`
	// KeptCode are texts that executions were to go on with and don't; see KeptCode.
	KeptCode []KeptCode `json:"stayed,omitempty"`
	// Failing are its executions that get no further; see Failing.
	Failing *Failing     `json:"failing,omitempty"`
	Error   *SourceError `json:"error,omitempty"`
	// Warning is likely to be wrong with the newest text, or with the names that
	// it is served under, and keeps nothing from going live.
	Warning *SourceWarning `json:"warning,omitempty"`
}

// SourceError says why the newest text isn't live. Line and Column count from
// 1 in the author's own text and are absent if unknown.
//
// More is what else is wrong with it, at most 20 things.
//
// If the replay gate refused the text, Broken names executions that it would
// break, at most 20 of them, and Checked is how many were tried.
type SourceError struct {
	Version string            `json:"version,omitempty"`
	Message string            `json:"message"`
	File    string            `json:"file,omitempty"`
	Line    int               `json:"line,omitempty"`
	Column  int               `json:"column,omitempty"`
	More    []Remark          `json:"more,omitempty"`
	Checked int               `json:"checked,omitempty"`
	Broken  []BrokenExecution `json:"broken,omitempty"`
}

// SourceWarning is the first warning about a source, with a place as in
// SourceError; More are the others, at most 20.
type SourceWarning struct {
	Remark
	More []Remark `json:"more,omitempty"`
}

// Remark is one error or warning beside the first.
type Remark struct {
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// MaxRemarks bounds how many are shown beside the first.
const MaxRemarks = 20

func remarks(list []runtime.Remark) (out []Remark) {
	for _, r := range list[:min(len(list), MaxRemarks)] {
		out = append(out, Remark{Bounded(r.Message), r.File, r.Line, r.Column})
	}
	return out
}

func NewSourceWarning(list []runtime.Remark) *SourceWarning {
	if len(list) == 0 {
		return nil
	}
	return &SourceWarning{Remark: remarks(list[:1])[0], More: remarks(list[1:])}
}

func NewSourceError(e *runtime.SourceError) SourceError {
	return SourceError{
		Version: e.Version, Message: Bounded(e.Message), File: e.File, Line: e.Line, Column: e.Column, More: remarks(e.More),
		Checked: e.Checked, Broken: BrokenExecutions(e.Broken, MaxBrokenExecutions),
	}
}

// ReloadState is one start or reload.
type ReloadState struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"` // start or reload
	Cause  string    `json:"cause"`
	// Milliseconds is from the commit until the code was live, failed attempts included;
	// from when the change was noticed, where the stream didn't tell of the commit.
	Milliseconds float64 `json:"milliseconds"`
}

// MaxText bounds each text in a row: it is shown, not archived.
const MaxText = 2000

func Bounded(s string) string {
	if len(s) <= MaxText {
		return s
	}
	return strings.ToValidUTF8(s[:MaxText], "") + "…"
}

// plain bounds a text for a column of its own, without the NUL that PostgreSQL's texts can't hold.
func plain(s string) string { return strings.ReplaceAll(Bounded(s), "\x00", "") }

// Encode returns the JSON without what PostgreSQL's jsonb refuses: a NUL in a
// text, which an error message that quotes the author's code may hold.
func (m Metadata) Encode() (string, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode metadata: %w", err)
	}
	return withoutNUL(string(b)), nil
}

func withoutNUL(json string) string { return strings.ReplaceAll(json, `\u0000`, `\ufffd`) }

// PollFailure is that a project's worker can't ask Temporal for tasks.
type PollFailure struct {
	Since time.Time `json:"since"`
	Error string    `json:"error"`
}

// Problem is what a project's row says.
func (f PollFailure) Problem() string { return "the worker can't ask Temporal for tasks: " + f.Error }
