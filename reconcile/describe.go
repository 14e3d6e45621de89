package reconcile

import (
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

// metadata describes a record for its row.
func (rec *record) metadata(replica string) rows.Metadata {
	m := rows.Metadata{
		Schema:         1,
		Replica:        replica,
		Error:          rows.Bounded(rec.trouble()),
		Workflows:      []rows.SourceState{},
		Components:     []rows.SourceState{},
		LastReload:     rec.reload,
		RestartRequest: rec.restart.ID,
		LastMove:       rec.lastMove,
	}
	room := rows.MaxSupersededOfAll
	for _, s := range rec.report.Sources {
		if rec.status() == rows.StatusFailed {
			s.Version, s.Hash, s.Types = "", "", nil // what would have been live
		}
		k := rows.Ref{Kind: s.Kind, ID: s.ID}
		state := sourceState(s, rec.shared[k])
		if s.Hash != "" {
			state.CodeID = rec.live[k].CodeID
		}
		state.Superseded = rec.found.census.Of(s.ID, s.Hash)
		state.Superseded = state.Superseded[:min(len(state.Superseded), room)]
		room -= len(state.Superseded)
		state.KeptCode = rec.found.keptCode.Of(s.ID, s.Hash)
		if s.Kind == runtime.KindComponent {
			m.Components = append(m.Components, state)
		} else {
			state.Failing = rec.found.failing.Of(s.ID)
			m.Workflows = append(m.Workflows, state)
		}
	}
	if rec.found.polls.Error != "" && rec.phase == running {
		m.Polls = &rec.found.polls
	}
	m.Failing = rec.found.failing.Others(m.Workflows)
	m.Quarantined = rows.WithVersions(rec.found.waiting, m)
	return m
}

func sourceState(s runtime.SourceReport, shared bool) rows.SourceState {
	state := rows.SourceState{
		ID: s.ID, Name: s.Name, Version: s.Version, Hash: s.Hash, Types: s.Types, Shared: shared,
		VersioningBehavior: s.VersioningBehavior, Warning: rows.NewSourceWarning(s.Warnings),
	}
	if s.Hash != "" && !s.Since.IsZero() {
		since := s.Since.UTC()
		state.Since = &since
	}
	if e := s.Error; e != nil {
		shown := rows.NewSourceError(e)
		state.Error = &shown
	}
	return state
}

// broken lists a report's sources whose newest text isn't live.
func broken(rep runtime.Report) (list []runtime.SourceReport) {
	for _, s := range rep.Sources {
		if s.Error != nil {
			list = append(list, s)
		}
	}
	return list
}

// stuck is the one line on executions that get no further, "" if there are none.
func (rec *record) stuck() string {
	if len(rec.found.failing) == 0 || rec.status() != rows.StatusRunning {
		return ""
	}
	var first rows.Failing
	name := ""
	for id, f := range rec.found.failing {
		if name != "" && !f.Since.Before(first.Since) {
			continue
		}
		first, name = f, f.Example.Type
		for _, s := range rec.report.Sources {
			if s.Kind == runtime.KindWorkflow && s.ID == id {
				name = s.Name
			}
		}
	}
	return first.Problem(name)
}
