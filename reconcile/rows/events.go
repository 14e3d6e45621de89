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
