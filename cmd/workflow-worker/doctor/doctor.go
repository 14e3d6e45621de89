package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity says what a failure means.
type Severity string

const (
	// Fatal: the service can't do its job.
	Fatal Severity = "fatal"
	// Warning: it does, but slower, or not for long.
	Warning Severity = "warning"
)

// The outcomes of a check.
const (
	OK      = "ok"
	Failed  = "failed"
	Skipped = "skipped"
)

// Finding is what came of one check.
type Finding struct {
	ID       string    `json:"id"`
	Group    string    `json:"group"`
	Title    string    `json:"title"`
	Severity Severity  `json:"severity"`
	Outcome  string    `json:"outcome"`
	Problems []Problem `json:"problems,omitempty"`
	Reason   string    `json:"reason,omitempty"` // for being skipped
}

// Problem is one thing that is wrong.
type Problem struct {
	Text string `json:"text"`
	Mend string `json:"mend,omitempty"` // a command or a setting
}

// check is one thing to look at.
type check struct {
	id, title string
	severity  Severity
	needs     string // the id of the check without which this one can't be made; "" for none
	look      func(*Patient, context.Context) ([]Problem, error)
}

func (c check) group() string {
	group, _, _ := strings.Cut(c.id, ".")
	return group
}

// IDs are those of all checks, in their order.
func IDs() (ids []string) {
	for _, c := range checks {
		ids = append(ids, c.id)
	}
	return ids
}

// checkTimeout bounds one check: a server that doesn't answer is a finding.
const checkTimeout = 10 * time.Second

// errNothing says that there is nothing to look at.
type errNothing string

func (e errNothing) Error() string { return string(e) }

// Examine makes all checks but those to skip, and those that need one of them. A name that no check
// has is an error.
func Examine(ctx context.Context, p *Patient, skip []string) ([]Finding, error) {
	for _, id := range skip {
		if !slices.Contains(IDs(), id) {
			return nil, fmt.Errorf("there is no check %q; there are: %s", id, strings.Join(IDs(), ", "))
		}
	}
	defer p.close()
	var out []Finding
	outcome := map[string]string{}
	for _, c := range checks {
		f := Finding{ID: c.id, Group: c.group(), Title: c.title, Severity: c.severity, Outcome: OK}
		switch needs := outcome[c.needs]; {
		case slices.Contains(skip, c.id):
			f.Outcome, f.Reason = Skipped, "asked for"
		case c.needs != "" && needs != OK:
			f.Outcome, f.Reason = Skipped, c.needs+" is "+needs
		default:
			f.look(ctx, c, p)
		}
		outcome[c.id] = f.Outcome
		out = append(out, f)
	}
	return out, nil
}

func (f *Finding) look(ctx context.Context, c check, p *Patient) {
	most := cmp.Or(p.CheckTimeout, checkTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, most, fmt.Errorf("no answer within %s", most))
	defer cancel()
	problems, err := c.look(p, ctx)
	var nothing errNothing
	if err != nil && ctx.Err() != nil { // what it says is how it was cut off
		err = context.Cause(ctx)
	}
	switch {
	case errors.As(err, &nothing):
		f.Outcome, f.Reason = Skipped, nothing.Error()
		return
	case err != nil:
		problems = append(problems, Problem{Text: err.Error()})
	}
	for i := range problems {
		problems[i].Text = oneLine(p.discreet(problems[i].Text))
	}
	if f.Problems = problems; len(problems) > 0 {
		f.Outcome = Failed
	}
}

// oneLine is a text of several lines in one, each of them once: pgx tells of each of its attempts.
func oneLine(text string) string {
	var parts []string
	for part := range strings.SplitSeq(text, "\n") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), ":; ", ": ")
}

// Sick says whether the service can't do its job.
func Sick(list []Finding) bool {
	return slices.ContainsFunc(list, func(f Finding) bool { return f.Outcome == Failed && f.Severity == Fatal })
}
