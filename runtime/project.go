package runtime

import (
	"context"
	"errors"
	"time"

	"workflow-worker/runtime/build"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/replay"
)

// ErrCodeNotFound is what a CodeStore returns (wrapped) when it doesn't have
// the text of a hash. It fails the workflow task that asked, never the
// execution: the text may come back.
var ErrCodeNotFound = errors.New("code not found")

// The values of SourceReport.Kind and StoredModule.Kind.
const (
	KindWorkflow  = build.KindWorkflow
	KindComponent = build.KindComponent
)

// Project is what one project should be, as read from its rows in one snapshot. It is complete:
// what is not in it is not served any more.
type Project struct {
	ID        string // projects.id
	Name      string // projects.name, for people
	TaskQueue string // projects.task_queue_name
	// Isolated keeps the project's workflow code from sharing JavaScript runtimes with other
	// projects' code: that of executions that start, or are replayed, from now on.
	Isolated bool

	// Workflows and Components are in order of precedence: where two serve the same name, the
	// earlier one has it. Two components of one name are an error of both.
	Workflows  []Workflow
	Components []Component

	// AsOf is when the rows were read, by the database's clock: of two codes the one read later is
	// the newer. Zero is now, by this process's clock.
	AsOf time.Time

	// Moves are the executions that were told to run other code than the one that they are pinned
	// to.
	Moves []Move

	// Restore says that the store has lost code: what is live, and what runs still are on, is kept
	// again, new or not.
	Restore bool
}

// Move says which code an execution runs from its next workflow task on, whatever its history
// names.
type Move struct {
	replay.Execution
	Hash string // of stored code of the same project
}

// The values of Workflow.VersioningBehavior and SourceReport.VersioningBehavior.
const (
	// Pinned executions keep the code that they began with until somebody moves them.
	Pinned = "pinned"
	// AutoUpgrade executions take new code at their next workflow task.
	AutoUpgrade = "auto_upgrade"
)

// Workflow is one workflow with the text of its current code.
type Workflow struct {
	ID             string // workflows.id
	CodeID         string // workflow_compiled_code.id
	KebabName      string // the type that the UI starts
	DisplayName    string // for people
	Version        string // of Code, for people
	Code           string // TypeScript or JavaScript
	ActivitiesCode string // so too; "" if the row has none

	// VersioningBehavior is the row's: Pinned, AutoUpgrade, or "" for what the code itself says.
	VersioningBehavior string

	// LiveHash is the hash that was last live, before this process too; "" if none was, or if it
	// isn't known. What was live is not refused for what is found wrong with it only now.
	LiveHash string

	// LastGood is the text that was last live, where it differs from Code: what to serve if Code
	// turns out to be broken. Nil if there is none or if it is the same text.
	LastGood *StoredCode
}

// Component is one custom activity.
type Component struct {
	ID       string // components.id
	Name     string // the activity type
	Language string // as the row names it; what isn't TypeScript or JavaScript is an error of the row
	Code     string // TypeScript or JavaScript
	Shared   bool   // belongs to no project; this one's definitions refer to it

	// LiveHash is as in Workflow.
	LiveHash string
	// LastGood is as in Workflow; its ActivitiesCode is "".
	LastGood *StoredCode
}

// StoredCode is a text that was live once, with the hash that executions are pinned to. Its fields
// mean what StoredModule's do.
type StoredCode struct {
	Hash, Version                string
	Code, ActivitiesCode         string
	Packages, ActivitiesPackages string
}

// StoredModule is the text of one module, stored under its hash for the executions that are pinned
// to it. It has the fields of build.Text, in its order.
type StoredModule struct {
	Hash           string // 64 hexadecimal digits
	Kind           string // KindWorkflow or KindComponent
	WorkflowID     string // workflows.id; "" for a component
	Name           string // the row's own
	Version        string // for people; "" for a component
	Code           string // TypeScript or JavaScript
	ActivitiesCode string // so too; "" if there is none
	// Packages and ActivitiesPackages are the hashes of the npm packages that Code and
	// ActivitiesCode import; "" if they import none.
	Packages, ActivitiesPackages string
	// CompilerSettings is the version of the compiler's settings that the text was compiled with,
	// and is for every replay. SDK is the version of Temporal's TypeScript SDK at the time, for
	// people: each execution names its own in its history. Both are "" for what was stored before
	// they were kept.
	CompilerSettings, SDK string
}

// StoredPackages are npm packages as one text, stored under its hash for the modules that were
// compiled with them. They are no project's own.
type StoredPackages struct {
	Hash  string   // 64 hexadecimal digits
	Kind  string   // "workflow" or "activity": what code they are for
	Names []string // what code imports of them, sorted
	Code  string   // JavaScript
	Map   string   // its source map
}

// CodeStore keeps the text of every module that was live, as long as an
// execution may need it.
type CodeStore interface {
	// Put keeps the modules, whose packages must have been kept before. Storing
	// the same hash again changes nothing.
	Put(ctx context.Context, projectID string, modules []StoredModule) error

	// Get returns the text of a hash, or an error that is ErrCodeNotFound.
	Get(ctx context.Context, projectID, hash string) (StoredModule, error)

	// PutPackages keeps npm packages. Storing the same hash again changes nothing.
	PutPackages(ctx context.Context, packages []StoredPackages) error

	// GetPackages returns the npm packages of a hash, or an error that is
	// ErrCodeNotFound.
	GetPackages(ctx context.Context, hash string) (StoredPackages, error)

	// Used notes that an execution runs, or is replayed, on code that isn't
	// live any more. It returns at once.
	Used(projectID, hash string)
}

// storedPackages is what the store keeps of packages.
func storedPackages(p compile.StoredPackages) StoredPackages {
	return StoredPackages{Hash: p.Hash, Kind: string(p.Kind), Names: p.Names, Code: p.Code, Map: p.Map}
}

// packages are stored ones as the compiler takes them.
func (p StoredPackages) packages() compile.StoredPackages {
	return compile.StoredPackages{Hash: p.Hash, Kind: compile.Kind(p.Kind), Names: p.Names, Code: p.Code, Map: p.Map}
}
