package main

import "go.yaml.in/yaml/v3"

// A group is one file of cases: one project of the service.
type group struct {
	Title string `yaml:"group"`
	// Kind is "workflows" or "activities": what a case's text is.
	Kind string `yaml:"kind"`
	// Alone has the group run after the others, one case at a time: its cases use up a processor.
	Alone bool `yaml:"alone"`
	// Dormant starts the worker only at the cases' first "worker: start".
	Dormant bool `yaml:"dormant"`
	// Components and Rows are the project's, for all cases: name and text.
	Components map[string]string `yaml:"components"`
	Rows       map[string]string `yaml:"rows"`
	Cases      []*testCase       `yaml:"cases"`

	file string
}

// A testCase is one promise: what is written, what is called, and what must come of it.
type testCase struct {
	// Name is the promise, in kebab case; it is the row's name and so the workflow type, or the
	// activity's.
	Name  string `yaml:"name"`
	About string `yaml:"about"`

	// Deviates is why Temporal's own worker does something else, on purpose or because its
	// behaviour is a defect.
	Deviates string `yaml:"deviates"`
	// NoDiff is why the case can't run on Temporal's own worker.
	NoDiff string `yaml:"no-diff"`

	// Workflow or Activity is the row's text.
	Workflow string `yaml:"workflow"`
	Activity string `yaml:"activity"`
	// Language is an activity's implementation_language; typescript if absent.
	Language string `yaml:"language"`
	// Rows and Components are more rows of the project: name and text.
	Rows       map[string]string `yaml:"rows"`
	Components map[string]string `yaml:"components"`
	// ActivitiesCode is the text beside the workflow's.
	ActivitiesCode string `yaml:"activities-code"`

	// Type is started in place of the row's name.
	Type string      `yaml:"type"`
	Args []yaml.Node `yaml:"args"`
	// Start has fields of Temporal's StartWorkflowExecutionRequest, as its JSON; memo and
	// searchAttributes are plain values.
	Start yaml.Node `yaml:"start"`
	// StartWith sends a signal or an update together with the start.
	StartWith *step `yaml:"start-with"`
	// Options of the activity call: ActivityOptions of the TypeScript SDK; local: true makes it a
	// local one.
	Options yaml.Node `yaml:"options"`

	Steps []*step `yaml:"steps"`

	// What must come of it. Result, Failure or Status end the execution; TaskFailure is a failed
	// workflow task, after which the execution is terminated. Failure is a tree (see failureTree)
	// of which only what is named is compared; of an activity's case, it is what the activity ended
	// with, below ActivityFailure.
	Result      yaml.Node `yaml:"result"`
	Failure     yaml.Node `yaml:"failure"`
	TaskFailure yaml.Node `yaml:"task-failure"`
	// Status: Completed, Failed, Canceled, TimedOut, Terminated, Running (left and terminated). It
	// follows from the others if absent.
	Status string `yaml:"status"`
	// Events are all events of the first run but its start and its workflow tasks, in order; Has
	// are some of them, in order; HasNot are types that must be absent. An item is a type, or a
	// type with some of its attributes.
	Events yaml.Node `yaml:"events"`
	Has    yaml.Node `yaml:"has"`
	HasNot []string  `yaml:"has-not"`
	// AnyOrder leaves events out of what the differential mode compares: their order is the
	// server's choice.
	AnyOrder bool `yaml:"any-order"`

	group *group
}

// A step does one thing, then checks its answer.
type step struct {
	// Of is the execution that the step is about: a name given by As, "child:<workflow id>", or the
	// case's own.
	Of string `yaml:"of"`

	// The name and the arguments of a call.
	Signal []yaml.Node `yaml:"signal"`
	Query  []yaml.Node `yaml:"query"`
	Update []yaml.Node `yaml:"update"`
	// Async names an update whose answer a later step asks for by Answer.
	Async  string `yaml:"async"`
	Answer string `yaml:"answer"`
	// ID of an update.
	ID string `yaml:"id"`
	// Result or Failure is the answer; of a query, Failure has a message alone.
	Result  yaml.Node `yaml:"result"`
	Failure yaml.Node `yaml:"failure"`

	// Until waits for events, of the types and numbers given, or for a query's answer.
	Until map[string]yaml.Node `yaml:"until"`
	// Pause lets time pass: for what must not happen.
	Pause string `yaml:"pause"`

	Cancel    bool   `yaml:"cancel"`
	Terminate string `yaml:"terminate"`
	// Reset resets the execution to the end of its nth workflow task, and goes on with the new run.
	Reset int `yaml:"reset"`

	// Start begins another execution, of type, args and options; As names it.
	Start string      `yaml:"start"`
	Args  []yaml.Node `yaml:"args"`
	As    string      `yaml:"as"`

	// Worker "stop" or "start" waits until all of the group's cases are there, and then does so to
	// the project.
	Worker string `yaml:"worker"`
	// Reload writes the row's text anew and waits until it is live; ReloadActivity does so to the
	// group's or the case's component.
	Reload         string            `yaml:"reload"`
	ReloadActivity map[string]string `yaml:"reload-activity"`
	// Row waits for what the worker's row says of a workflow or component: name, and some of its
	// members.
	Row map[string]yaml.Node `yaml:"row"`

	// Complete, Fail and Beat settle an activity from outside, by its id.
	Complete string `yaml:"complete"`
	Fail     string `yaml:"fail"`
	Beat     string `yaml:"beat"`
	// PauseActivity and ResetActivity are an operator's commands, by activity id.
	PauseActivity   string `yaml:"pause-activity"`
	UnpauseActivity string `yaml:"unpause-activity"`
	ResetActivity   string `yaml:"reset-activity"`
}

// isActivity says that the case's text is an activity, which the group's own workflow calls.
func (c *testCase) isActivity() bool { return c.group.Kind == kindActivities }

const (
	kindWorkflows  = "workflows"
	kindActivities = "activities"
)

// rowsOnly says why Temporal's own worker can't run the case; "" if it can.
func (c *testCase) rowsOnly() string {
	if c.NoDiff != "" {
		return c.NoDiff
	}
	for _, s := range c.Steps {
		switch {
		case s.Reload != "" || s.ReloadActivity != nil:
			return "it changes rows while they run"
		case s.Row != nil:
			return "it reads the worker's row"
		}
	}
	if c.ActivitiesCode != "" {
		return "activities_code is the service's own"
	}
	return ""
}
