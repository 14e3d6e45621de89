package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
)

// worker_events.kind.
const (
	eventStarted       = "started"
	eventReloaded      = "reloaded"
	eventCompileFailed = "compile_failed"
	eventRefusedByGate = "refused_by_gate"
	eventStayed        = "stayed"
	eventFailing       = "failing"
	eventFailed        = "failed"
	eventStopped       = "stopped"
	eventRequestDone   = "request_done"
	eventMigrated      = "migrated"
	eventCodeRemoved   = "code_removed"
)

const (
	maxEvents        = 200 // of a project in the table
	maxPendingEvents = 50  // of a project that can't be written yet; the oldest go first
	maxChanges       = 20  // named in one event, and events of broken code in one reload
)

// event is a row of worker_events to be.
type event struct {
	kind, message string
	details       any
}

// note keeps an event for the next time that the row is written.
func (rec *record) note(kind, message string, details any) {
	rec.events = append(rec.events, event{kind, bounded(message), details})
	if n := len(rec.events) - maxPendingEvents; n > 0 {
		rec.events = rec.events[n:]
	}
}

// insertEventSQL writes an event of a project that exists: $1 project, $2
// replica, $3 kind, $4 message, $5 details.
const insertEventSQL = `
INSERT INTO public.worker_events (project_id, replica, kind, message, details)
SELECT id, $2, $3, $4, $5::jsonb FROM public.projects WHERE id = $1`

// trimEventsSQL keeps the table bounded.
const trimEventsSQL = `
DELETE FROM public.worker_events WHERE project_id = $1
  AND id <= (SELECT id FROM public.worker_events WHERE project_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)`

func (r *Reconciler) queueEvents(b *pgx.Batch, projectID string, events []event) error {
	for _, e := range events {
		details, err := encodeDetails(e.details)
		if err != nil {
			return err
		}
		b.Queue(insertEventSQL, projectID, r.cfg.Replica, e.kind, strings.ReplaceAll(e.message, "\x00", ""), details)
	}
	if len(events) > 0 {
		b.Queue(trimEventsSQL, projectID, maxEvents)
	}
	return nil
}

// writeEvents writes events that belong to no row.
func (r *Reconciler) writeEvents(ctx context.Context, projectID string, events ...event) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	b := &pgx.Batch{}
	if err := r.queueEvents(b, projectID, events); err != nil {
		return err
	}
	if err := r.cfg.Pool.SendBatch(ctx, b); err != nil && !isForeignKeyViolation(err) {
		return fmt.Errorf("write events of project %s: %w", projectID, err)
	}
	return nil
}

// encodeDetails returns the JSON without what jsonb refuses, see
// Metadata.encode.
func encodeDetails(details any) (string, error) {
	if details == nil {
		return "{}", nil
	}
	b, err := json.Marshal(details)
	if err != nil {
		return "", fmt.Errorf("encode an event: %w", err)
	}
	return withoutNUL(string(b)), nil
}

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

// change is one source whose live code changed. From is nil if it had none, To
// if it has none any more.
type change struct {
	Kind string   `json:"kind"`
	ID   string   `json:"id"`
	Name string   `json:"name"`
	From *CodeRef `json:"from,omitempty"`
	To   *CodeRef `json:"to,omitempty"`
}

// liveDetails are the details of started and reloaded.
type liveDetails struct {
	Cause        string   `json:"cause"`
	Milliseconds float64  `json:"milliseconds"`
	Changes      []change `json:"changes"`
	// More is how many changes are not named.
	More int `json:"more,omitempty"`
}

// brokenDetails are the details of compile_failed and refused_by_gate.
type brokenDetails struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
	SourceError
}

// noteLive notes what went live by an action, and what turned out broken.
func (rec *record) noteLive(before runtime.Report, act action, state ReloadState) {
	kind, words := eventReloaded, "reloaded: "
	if act == actStart {
		kind, words = eventStarted, "started: "
		before = runtime.Report{}
	}
	d := liveDetails{Cause: state.Cause, Milliseconds: state.Milliseconds, Changes: changesBetween(before, rec.report)}
	if more := len(d.Changes) - maxChanges; more > 0 {
		d.Changes, d.More = d.Changes[:maxChanges], more
	}
	rec.note(kind, words+state.Cause, d)
}

// noteBroken notes what is broken and wasn't, or not so, and returns how much of
// it the replay gate refused. again says that no row has changed in between:
// then it is no news whom the gate names this time, or that it still waits.
func (rec *record) noteBroken(before, after runtime.Report, again bool) (refused int) {
	type problem struct {
		version, text string
		gate          bool
	}
	old := map[ref]problem{}
	for _, s := range broken(before) {
		old[ref{s.Kind, s.ID}] = problem{s.Error.Version, s.Problem(), len(s.Error.Broken) > 0}
	}
	n := 0
	for _, s := range broken(after) {
		kind, now := eventCompileFailed, problem{s.Error.Version, s.Problem(), len(s.Error.Broken) > 0}
		was, known := old[ref{s.Kind, s.ID}]
		switch {
		case known && (was == now || again && was.gate && now.gate):
			continue
		case now.gate:
			kind = eventRefusedByGate
			refused++
		case s.Error.Waits: // its turn comes soon, and then there is something to tell
			continue
		}
		if n++; n <= maxChanges {
			rec.note(kind, s.Problem(), brokenDetails{s.Kind, s.ID, s.Name, sourceError(s.Error)})
		}
	}
	return refused
}

// changesBetween lists the sources whose live code differs.
func changesBetween(before, after runtime.Report) []change {
	list := []change{}
	old := map[ref]*CodeRef{}
	for _, s := range before.Sources {
		if s.Hash != "" {
			old[ref{s.Kind, s.ID}] = &CodeRef{s.Version, s.Hash}
		}
	}
	still := map[ref]bool{}
	for _, s := range after.Sources {
		from := old[ref{s.Kind, s.ID}]
		if s.Hash == "" {
			continue
		}
		still[ref{s.Kind, s.ID}] = true
		to := &CodeRef{s.Version, s.Hash}
		if from == nil || *from != *to {
			list = append(list, change{s.Kind, s.ID, s.Name, from, to})
		}
	}
	for _, s := range before.Sources {
		if r := (ref{s.Kind, s.ID}); s.Hash != "" && !still[r] {
			list = append(list, change{s.Kind, s.ID, s.Name, old[r], nil})
		}
	}
	return list
}
