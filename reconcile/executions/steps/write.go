package steps

import (
	"context"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/logkey"
)

// write writes what has a row: written. Orphans are runs that may have one in a moment. What is
// neither has none, and if one comes later, the histories have the steps.
func (s *Steps) write(ctx context.Context, batch []*pendingRun) (written, orphans []*pendingRun, err error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if orphans, err = s.aim(ctx, batch); err != nil {
		return nil, nil, err
	}
	var workflows []string
	for _, p := range batch {
		for _, t := range s.targets[p.runID] {
			workflows = append(workflows, t.WorkflowID)
		}
	}
	if err := s.define(ctx, workflows); err != nil {
		return nil, nil, err
	}
	var list []rows.Step
	var executions, bases []string
	for _, p := range batch {
		if len(s.targets[p.runID]) > 0 {
			written = append(written, p)
		}
		for _, t := range s.targets[p.runID] {
			for _, base := range p.bases {
				executions, bases = append(executions, t.ExecutionID), append(bases, base)
			}
			for _, one := range p.steps {
				if row, ok := s.rowOf(t, p.runID, one); ok {
					list = append(list, row)
				}
			}
		}
	}
	if len(bases) > 0 {
		if err := rows.RemoveStepsOf(ctx, s.DB, executions, bases); err != nil {
			return nil, nil, err
		}
	}
	return written, orphans, s.writeRows(ctx, list)
}

// aim finds the rows of a batch's runs.
func (s *Steps) aim(ctx context.Context, batch []*pendingRun) (orphans []*pendingRun, err error) {
	var ask []rows.StepRun
	for _, p := range batch {
		if s.targets[p.runID] == nil && time.Since(s.nobodys[p.runID]) > nobodysFor {
			ask = append(ask, rows.StepRun{RunID: p.runID, WorkflowID: p.workflowID, FirstRunID: p.firstRun, Row: p.row, TaskQueue: p.queue})
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	found, err := rows.ReadStepTargets(ctx, s.DB, ask)
	if err != nil {
		return nil, err
	}
	if len(s.targets)+len(s.nobodys) > maxTargets {
		clear(s.targets)
		clear(s.nobodys)
		return s.aim(ctx, batch)
	}
	for _, t := range found {
		s.targets[t.RunID] = append(s.targets[t.RunID], t)
	}
	asked := map[string]bool{}
	for _, r := range ask {
		asked[r.RunID] = true
	}
	for _, p := range batch {
		switch {
		case s.targets[p.runID] != nil || !asked[p.runID]:
		case time.Since(p.since) < orphanAge:
			orphans = append(orphans, p)
		default:
			s.nobodys[p.runID] = time.Now()
		}
	}
	return orphans, nil
}

// define reads what the rows of workflows say, where that may be outdated.
func (s *Steps) define(ctx context.Context, workflows []string) error {
	var ask []string
	for _, id := range workflows {
		if d := s.definitions[id]; (d == nil || time.Since(d.read) > definitionsFor) && !slices.Contains(ask, id) {
			ask = append(ask, id)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	if len(s.definitions) > 1000 {
		clear(s.definitions)
		ask = nil
		for _, id := range workflows {
			if !slices.Contains(ask, id) {
				ask = append(ask, id)
			}
		}
	}
	found, err := rows.ReadStepDefinitions(ctx, s.DB, ask)
	if err != nil {
		return err
	}
	for _, id := range ask {
		delete(s.definitions, id)
	}
	for _, d := range found {
		s.definitions[d.WorkflowID] = newDefinition(d)
	}
	return nil
}

// wants says what is recorded of a workflow's executions.
func (s *Steps) wants(d *definition) (record string, payloads bool) {
	record, payloads = s.Settings.Record, s.Settings.Payloads
	if d.Steps != nil {
		record = *d.Steps
	}
	if d.Payloads != nil {
		payloads = *d.Payloads
	}
	return record, payloads && s.MaxValue != shown.Hide
}

// rowOf makes a row of a step; ok is false if none is wanted.
func (s *Steps) rowOf(t rows.StepTarget, runID string, one *step) (row rows.Step, ok bool) {
	d := s.definitions[t.WorkflowID]
	if d == nil {
		return row, false // it is gone
	}
	record, payloads := s.wants(d)
	if record == rows.StepsNone || record != rows.StepsAll && (one.kind == rows.StepTimer || one.kind == rows.StepChild) {
		return row, false
	}
	row = rows.Step{
		ExecutionID: t.ExecutionID, RunID: runID, Kind: one.kind, Key: one.key, Component: one.name, Status: one.status, Progress: one.progress,
		Attempt: one.attempt, ScheduledAt: one.scheduled, StartedAt: one.started, EndedAt: one.ended, NextAt: one.nextAt, ErrorType: one.errorType, Message: one.why,
	}
	var node *rows.StepNode
	if one.name != "" && one.kind != rows.StepTimer {
		node = d.node(one.name, one.ordinal)
		row.ComponentID = d.componentOf(one.name, node)
	}
	if node != nil {
		row.Node = node.ID
	}
	row.Expected = expected(node, one.attempt-1, one.maxAttempts)
	clean := cleaner{redaction: d.redactionOf(one.name, node)}
	output := one.output
	if one.failure != nil {
		row.Message, row.ErrorType = s.Failure(one.failure).First(), errorTypeOf(one.failure)
	}
	if !clean.none() {
		clean.learn(one.given)
		clean.learn(output)
		row.Message = clean.text(row.Message)
		if !one.known { // secrets of the input may be in what came of it
			output = withheld(output)
			if row.Message != "" {
				row.Message = redacted
			}
		}
	}
	if !payloads {
		row.Input, row.Output = s.sizeOf(one.input), s.sizeOf(output)
		return row, true
	}
	row.Input, row.Output = s.value(one.input, &clean), s.value(output, &clean)
	return row, true
}

// value is what lands of values.
func (s *Steps) value(p *commonpb.Payloads, c *cleaner) *string {
	if shown.Bytes(p) > s.Settings.MaxValue {
		return new(shown.Omitted(shown.Bytes(p)))
	}
	return shown.Values(c.payloads(p), s.Settings.MaxValue)
}

func (s *Steps) sizeOf(p *commonpb.Payloads) *string {
	if len(p.GetPayloads()) == 0 {
		return nil
	}
	return new(shown.Note("not recorded", shown.Bytes(p)))
}

func withheld(p *commonpb.Payloads) *commonpb.Payloads {
	if len(p.GetPayloads()) == 0 {
		return p
	}
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{shown.Payload([]byte(`"` + redacted + `"`))}}
}

// writeRows writes in parts, and what can't be written as it is without its values.
func (s *Steps) writeRows(ctx context.Context, list []rows.Step) error {
	for len(list) > 0 {
		n, bytes := 0, 0
		for n < len(list) && n < maxStepBatch && (n == 0 || bytes < maxStepBytes) {
			for _, v := range []*string{list[n].Input, list[n].Output} {
				if v != nil {
					bytes += len(*v)
				}
			}
			n++
		}
		if err := s.isolated(ctx, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func (s *Steps) isolated(ctx context.Context, list []rows.Step) error {
	err := rows.WriteSteps(ctx, s.DB, list)
	if err == nil || !rows.Unwritable(err) {
		return err
	}
	if len(list) > 1 {
		for i := range list {
			if err := s.isolated(ctx, list[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	bare := list[0]
	bare.ComponentID = ""
	for _, v := range []**string{&bare.Input, &bare.Output} {
		if *v != nil {
			*v = new(`{"omitted": "the database doesn't take it"}`)
		}
	}
	if err := rows.WriteSteps(ctx, s.DB, []rows.Step{bare}); !rows.Unwritable(err) {
		return err
	}
	s.Log.WarnContext(ctx, "a step's row can't be written", logkey.Error, err)
	return nil
}
