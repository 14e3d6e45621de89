package cell

import (
	"time"

	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/workflow/wire"
)

// protocol is the version of what parent and cell say to each other.
const protocol = 4

// The services: what a cell does for its parent, and the parent for a cell.
const (
	cellService   = "cell"
	parentService = "parent"
)

// The cell's methods. Each takes the message of its name or, where a call has one argument, that
// argument; "ok" answers what has nothing to say.
const (
	methodHello   = "Hello"   // hello → welcome: first of all
	methodWarm    = "Warm"    // → ok: runtime.Runner's, as the rest
	methodStart   = "Start"   // runtime.Project → runtime.Report
	methodReload  = "Reload"  // runtime.Project → runtime.Report
	methodStop    = "Stop"    // id → ok
	methodHold    = "Hold"    // hold → ok
	methodCheck   = "Check"   // check → runtime.CheckResult
	methodPolls   = "Polls"   // → polls
	methodMetrics = "Metrics" // → metrics
	methodLevel   = "Level"   // level → ok: the log's
	methodBeat    = "Beat"    // → beat: it lives
	methodFollow  = "Follow"  // following → ok
	methodClose   = "Close"   // → ok: the cell ends
)

// The parent's methods.
const (
	methodPut         = "Put"         // put → ok: runtime.CodeStore's, as the next three
	methodGet         = "Get"         // codeRef → runtime.StoredModule
	methodPutPackages = "PutPackages" // packages → ok
	methodGetPackages = "GetPackages" // hash → runtime.StoredPackages
	methodRead        = "Read"        // path → contents
	methodTell        = "Tell"        // news → ok
)

type ok struct{}

// hello begins what the two have to say to each other.
type hello struct {
	Protocol int
	// Cell is its number, from 1.
	Cell int
	// Environment is what the program takes for its environment there: the settings that a cell
	// needs, and what activities may see.
	Environment map[string]string
	// Handed is what else the program hands to itself.
	Handed map[string]string
	// Memory is how much the cell may use, in bytes.
	Memory int64
	// Level is that of the log.
	Level  int
	Follow following
}

// following says which executions somebody follows: all, or those of some task queues. Of several the
// one with the highest number counts.
type following struct {
	Number int64
	All    bool
	Queues []string `json:",omitempty"` // sorted
}

type welcome struct {
	Protocol int
	// Lacks says from what the system can't keep the cell.
	Lacks []string
}

type id struct{ ID string }

// hold says which executions of a project wait: these and no others.
type hold struct {
	ProjectID string
	Held      []runtime.Held
}

type check struct {
	ProjectID string
	Check     runtime.Check
}

type polls struct {
	Failing map[string]runtime.PollFailure
}

type put struct {
	ProjectID string
	Modules   []runtime.StoredModule
}

type codeRef struct{ ProjectID, Hash string }

type packages struct{ Packages []runtime.StoredPackages }

type path struct{ Path string }

type contents struct{ Contents []byte }

// metrics are what a cell measures, as Prometheus' families are sent.
type metrics struct {
	Families [][]byte `json:"-"`
}

func (m *metrics) parts() *[][]byte { return &m.Families }

// beat is how the cell is.
type beat struct {
	// Used is how much memory it needs for what it keeps, in bytes.
	Used int64
}

// news is what has happened in a cell since the last ones, in the order in which it did.
type news struct {
	Events []event

	// What is only counted.
	Interrupts   map[string]int  `json:",omitempty"`
	TaskFailures map[string]int  `json:",omitempty"`
	Attempts     []attempt       `json:",omitempty"`
	Usage        map[string]used `json:",omitempty"` // by project
	CodeUsed     []codeRef       `json:",omitempty"`

	// Bytes are what events refer to.
	Bytes [][]byte `json:"-"`
}

func (n *news) parts() *[][]byte { return &n.Bytes }

// level is a slog.Level.
type level struct{ Level int }

// event is one of these.
type event struct {
	Kept     *keptCode `json:",omitempty"`
	Failing  *failing  `json:",omitempty"`
	GotOn    string    `json:",omitempty"` // a run
	Advanced *advance  `json:",omitempty"`
	Step     *step     `json:",omitempty"`
	Ended    string    `json:",omitempty"` // a project whose worker ended by itself
}

type keptCode struct {
	ProjectID string
	runtime.KeptCode
}

type failing struct {
	ProjectID string
	runtime.Failing
}

// advance is a runtime.Advance; Closing is its command's place in the bytes, -1 if it has none.
type advance struct {
	ProjectID                   string
	Execution                   replay.Execution
	Type, CodeOf, Version, Hash string
	First                       bool
	Origin                      *wire.Origin `json:",omitempty"`
	Code                        wire.LastCode
	Title                       string
	Activities                  int
	Closing                     int
}

// step is what wire.StepObserver hears: Bytes are the places of its messages, First and N.
type step struct {
	Kind       string
	WorkflowID string `json:",omitempty"`
	RunID      string `json:",omitempty"`
	Token      []byte `json:",omitempty"`
	Answer     string `json:",omitempty"` // the type of an attempt's answer
	First, N   int
}

// The values of step.Kind.
const (
	stepEvents   = "events"
	stepCommands = "commands"
	stepBegan    = "began"
	stepEnded    = "ended"
)

type attempt struct {
	ProjectID, Name string
	Took            time.Duration
	Failed          bool
}

type used struct {
	Tasks, Failed int
	CPU           time.Duration
}
