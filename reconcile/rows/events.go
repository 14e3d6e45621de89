package rows

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// worker_events.kind.
const (
	EventStarted       = "started"
	EventReloaded      = "reloaded"
	EventCompileFailed = "compile_failed"
	EventRefusedByGate = "refused_by_gate"
	EventStayed        = "stayed"
	EventFailing       = "failing"
	EventFailed        = "failed"
	EventStopped       = "stopped"
	EventRequestDone   = "request_done"
	EventMigrated      = "migrated"
	EventCodeRemoved   = "code_removed"
	EventCellDied      = "cell_died"
)

// EventKinds are all that worker_events.kind says.
func EventKinds() []string {
	return []string{
		EventStarted, EventReloaded, EventCompileFailed, EventRefusedByGate, EventStayed, EventFailing, EventFailed, EventStopped,
		EventRequestDone, EventMigrated, EventCodeRemoved, EventCellDied,
	}
}

// MaxEvents is how many events of a project are kept.
const MaxEvents = 200

// Event is a row of worker_events to be.
type Event struct {
	Kind, Message string
	Details       any
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

// QueueEvents writes events of a project.
func QueueEvents(b *pgx.Batch, replica, projectID string, events []Event) error {
	for _, e := range events {
		details, err := encodeDetails(e.Details)
		if err != nil {
			return err
		}
		b.Queue(insertEventSQL, projectID, replica, e.Kind, strings.ReplaceAll(e.Message, "\x00", ""), details)
	}
	if len(events) > 0 {
		b.Queue(trimEventsSQL, projectID, MaxEvents)
	}
	return nil
}

// WriteEvents writes events that belong to no row.
func WriteEvents(ctx context.Context, db DB, replica, projectID string, events ...Event) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	b := &pgx.Batch{}
	if err := QueueEvents(b, replica, projectID, events); err != nil {
		return err
	}
	if err := db.SendBatch(ctx, b); err != nil && !ProjectGone(err) {
		return fmt.Errorf("write events of project %s: %w", projectID, err)
	}
	return nil
}

// lockMatterSQL lets one replica after the other tell of a matter; until its transaction's end.
const lockMatterSQL = `SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('workflow-worker ' || $1 || ' ' || $2 || ' ' || $3, 0))`

// tellOnceSQL is insertEventSQL unless a latest event of the same matter says that they are hardly
// fewer: $6 how many there are, $7 by what they must have grown. It gives how many the latest says.
const tellOnceSQL = `
WITH told AS (
  SELECT coalesce(max((e.details->>'executions')::bigint), 0) AS n FROM public.worker_events e WHERE e.project_id = $1::uuid AND e.kind = $3 AND %s
),
written AS (` + insertEventSQL + ` AND (SELECT n = 0 OR $6::bigint >= n * $7::bigint FROM told) RETURNING id)
SELECT CASE WHEN EXISTS (SELECT FROM written) THEN $6::bigint ELSE n END FROM told`

// matter is what an event about executions that grow in number is about: each replica sees the same
// ones at the same time, and one of them tells.
type matter struct {
	kind, projectID string
	key             string // of what is to be told of once
	// same says of an event e that it is about this; its parameters begin with $8.
	same string
	args []any
}

// tell writes an event of a matter, unless the latest says hardly less, and gives how many that
// says.
func (m matter) tell(ctx context.Context, db DB, replica, message string, details any, executions, times int64) (latest int64, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	text, err := encodeDetails(details)
	if err != nil {
		return 0, err
	}
	b := &pgx.Batch{} // one transaction, of which each statement sees what was committed before it
	b.Queue(lockMatterSQL, m.kind, m.projectID, m.key)
	b.Queue(fmt.Sprintf(tellOnceSQL, m.same), append([]any{m.projectID, replica, m.kind, plain(message), text, executions, times}, m.args...)...).
		QueryRow(func(row pgx.Row) error { return row.Scan(&latest) })
	b.Queue(trimEventsSQL, m.projectID, MaxEvents)
	if err := db.SendBatch(ctx, b); err != nil && !ProjectGone(err) {
		return 0, fmt.Errorf("write an event of project %s: %w", m.projectID, err)
	}
	return latest, nil
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
