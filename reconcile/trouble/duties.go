package trouble

import (
	"slices"
	"strings"
)

// duty is something that the service does all the time, and that may fail.
type duty struct {
	fails string // in words, for /health
	vital bool   // it can't do its job without
}

// duties are by the kind of [Log.Fail]. Failures of other kinds are those of one
// project, which its row tells.
var duties = map[string]duty{
	"database":            {"projects can't be read", true},
	"write":               {"the state of projects can't be written", true},
	"requests":            {"requests can't be taken up or finished", true},
	"heartbeat":           {"heartbeats can't be written", true},
	"reap":                {"dead replicas can't be looked for", false},
	"replicas":            {"the replicas can't be seen", false},
	"census":              {"executions on superseded code can't be counted", false},
	"stays":               {"executions that keep their code can't be written down", false},
	"failures":            {"executions that get no further can't be written down", false},
	"clean-up":            {"superseded code can't be cleaned up", false},
	"statistics":          {"the statistics of activities can't be written", false},
	"totals":              {"executions can't be counted", false},
	"stays: look":         {"Temporal can't be asked about executions that keep their code", false},
	"failures: look":      {"Temporal can't be asked about executions that get no further", false},
	"starts":              {"executions can't be started", true},
	"executions":          {"what becomes of executions can't be written", true},
	"execution requests":  {"what is asked of executions can't be done", true},
	"sweep":               {"Temporal can't be asked how executions are", false},
	"steps":               {"steps of executions can't be written", false},
	"settle":              {"steps of executions can't be looked at once more", false},
	"records":             {"executions that have no row can't be recorded", false},
	"execution retention": {"old executions can't be removed", false},
	"polls":               {"workers can't ask Temporal for tasks", true},
	"some polls":          {"some projects' workers can't ask Temporal for tasks", false},
}

// ofAProject is the id of what fails for one project alone.
const ofAProject = "project.failed"

// IDOf gives a failure the id that docker/RUNBOOK.md has a heading for: a duty's own, as metrics
// makes it of its words, or that of projects' failures.
func IDOf(kind string) string {
	d, ok := duties[kind]
	if !ok {
		return ofAProject
	}
	return "service." + strings.ReplaceAll(strings.ReplaceAll(d.fails, "'", ""), " ", "_")
}

// IDs are all that IDOf gives, sorted.
func IDs() []string {
	ids := []string{ofAProject}
	for kind := range duties {
		ids = append(ids, IDOf(kind))
	}
	slices.Sort(ids)
	return ids
}

// Fails says in words what doesn't work if a kind of duty fails.
func Fails(kind string) string { return duties[kind].fails }

// Observer is told what fails and what works again. Its method is cheap and
// doesn't block.
type Observer interface {
	// Trouble says in words what can't be done, whether the service can't do its job
	// without, and why; nil once it works again.
	Trouble(what string, vital bool, err error)
}

// Telling has an observer hear of the duties that fail.
func (q *Log) Telling(o Observer) *Log {
	q.tell = func(kind string, err error) {
		if d, ok := duties[kind]; ok {
			o.Trouble(d.fails, d.vital, err)
		}
	}
	return q
}
