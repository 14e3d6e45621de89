package reconcile

import (
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

const (
	maxPendingEvents = 50 // of a project that can't be written yet; the oldest go first
	maxChanges       = 20 // named in one event, and events of broken code in one reload
)

// note keeps an event for the next time that the row is written.
func (rec *record) note(kind, message string, details any) {
	rec.events = append(rec.events, rows.Event{Kind: kind, Message: rows.Bounded(message), Details: details})
	if n := len(rec.events) - maxPendingEvents; n > 0 {
		rec.events = rec.events[n:]
	}
}

// noteLive notes what went live by an action, and what turned out broken.
func (rec *record) noteLive(before runtime.Report, act action, state rows.ReloadState) {
	kind, words := rows.EventReloaded, "reloaded: "
	if act == actStart {
		kind, words = rows.EventStarted, "started: "
		before = runtime.Report{}
	}
	d := rows.LiveDetails{Cause: state.Cause, Milliseconds: state.Milliseconds, Changes: changesBetween(before, rec.report)}
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
	old := map[rows.Ref]problem{}
	for _, s := range broken(before) {
		old[rows.Ref{Kind: s.Kind, ID: s.ID}] = problem{s.Error.Version, s.Problem(), len(s.Error.Broken) > 0}
	}
	n := 0
	for _, s := range broken(after) {
		kind, now := rows.EventCompileFailed, problem{s.Error.Version, s.Problem(), len(s.Error.Broken) > 0}
		was, known := old[rows.Ref{Kind: s.Kind, ID: s.ID}]
		switch {
		case known && (was == now || again && was.gate && now.gate):
			continue
		case now.gate:
			kind = rows.EventRefusedByGate
			refused++
		case s.Error.Waits: // its turn comes soon, and then there is something to tell
			continue
		}
		if n++; n <= maxChanges {
			rec.note(kind, s.Problem(), rows.BrokenDetails{Kind: s.Kind, ID: s.ID, Name: s.Name, SourceError: rows.NewSourceError(s.Error)})
		}
	}
	return refused
}

// changesBetween lists the sources whose live code differs.
func changesBetween(before, after runtime.Report) []rows.Change {
	list := []rows.Change{}
	old := map[rows.Ref]*rows.CodeRef{}
	for _, s := range before.Sources {
		if s.Hash != "" {
			old[rows.Ref{Kind: s.Kind, ID: s.ID}] = &rows.CodeRef{Version: s.Version, Hash: s.Hash}
		}
	}
	still := map[rows.Ref]bool{}
	for _, s := range after.Sources {
		from := old[rows.Ref{Kind: s.Kind, ID: s.ID}]
		if s.Hash == "" {
			continue
		}
		still[rows.Ref{Kind: s.Kind, ID: s.ID}] = true
		to := &rows.CodeRef{Version: s.Version, Hash: s.Hash}
		if from == nil || *from != *to {
			list = append(list, rows.Change{Kind: s.Kind, ID: s.ID, Name: s.Name, From: from, To: to})
		}
	}
	for _, s := range before.Sources {
		if r := (rows.Ref{Kind: s.Kind, ID: s.ID}); s.Hash != "" && !still[r] {
			list = append(list, rows.Change{Kind: s.Kind, ID: s.ID, Name: s.Name, From: old[r], To: nil})
		}
	}
	return list
}
