// Package logkey has the keys of the service's log, one for each thing. Operators search by them:
// they stay. Rooms that import nothing of ours (cdc, metrics, migrations, activities) spell the
// same keys; a test reads the sources and fails where a line of any room has another one.
// It imports nothing.
package logkey

// What a line is about.
const (
	// ID is of what may be wrong: docker/RUNBOOK.md has a heading for each.
	ID           = "id"
	Project      = "project_id"
	Projects     = "projects" // how many
	Replica      = "replica"
	OtherReplica = "other_replica"
	Request      = "request" // worker_requests.id
	Workflow     = "workflow"
	WorkflowID   = "workflow_id" // of an execution
	RunID        = "run_id"
	Activity     = "activity"
	ActivityID   = "activity_id"
	Dependency   = "dependency"
	Cell         = "cell" // its number
	Process      = "process_id"
	File         = "file"
	TaskQueue    = "task_queue"
	Namespace    = "namespace" // of Temporal
	// Temporal is a group: what Temporal's SDK tells of its own, in its own words.
	Temporal = "temporal"
	// TraceID and SpanID are OpenTelemetry's.
	TraceID = "trace_id"
	SpanID  = "span_id"
)

// Code.
const (
	Source       = "source" // the row's name
	Module       = "module"
	Code         = "code" // the hash's first digits
	Hash         = "hash"
	Key          = "key"  // the id of one that encrypts payloads
	From         = "from" // hashes, too
	To           = "to"
	Version      = "version"
	LiveVersion  = "live_version"
	SupersededAt = "superseded_at"
	SDK          = "sdk"
)

// What happened, and why.
const (
	Action  = "action"
	Cause   = "cause"
	Status  = "status"
	Reason  = "reason"
	Detail  = "detail"
	Error   = "error"
	Stack   = "stack"
	Missing = "missing"
	Was     = "was"
	Is      = "is"
	Address = "address"
)

// Durations, in milliseconds.
const (
	Took     = "took_ms"
	Lived    = "lived_ms"
	RetryIn  = "retry_in_ms"
	Deadline = "deadline_ms"
)

// Counts.
const (
	Attempt  = "attempt"
	Of       = "of" // so many attempts
	Failures = "failures"
	Dropped  = "dropped"
	Removed  = "removed"
	Kept     = "kept"
	Moves    = "moves"
	Moved    = "moved"
	ToDo     = "to_do"
)

// What authors say; see activities/userlog.
const (
	Origin = "origin"
	Data   = "data"
)
