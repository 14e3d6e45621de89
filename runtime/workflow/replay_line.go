package workflow

import (
	"context"
	"regexp"

	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/runtime/workflow/wire"
)

// authorsPlace is a place in an author's text within a stack.
var authorsPlace = regexp.MustCompile(`([^\s()]+:\d+:\d+)\)?`)

// WhereParted says where in the author's text the code of a misfit was when its history and it
// parted: what it was waiting for then, file:line:column, "" if that can't be told. It takes
// another replay.
func WhereParted(ctx context.Context, o Options, x wire.RunInfo, h *historypb.History, code *Code, export string, m *Misfit) string {
	t := replayCheck{ctx: ctx, o: o, x: x, events: h.GetEvents(), code: code, export: export}
	t.find()
	if len(t.tasks) == 0 {
		return ""
	}
	task := len(t.tasks) - 1
	for i, came := range t.tasks {
		if m.EventID > 0 && m.EventID <= t.events[came.to-1].GetEventId() {
			task = i
			break
		}
	}
	place := ""
	t.end = func(d *definition) {
		if found := authorsPlace.FindStringSubmatch(d.StackTrace()); found != nil {
			place = found[1]
		}
	}
	if err := t.replay(task); err != nil && place == "" {
		if found := authorsPlace.FindStringSubmatch(err.Error()); found != nil { // it threw
			place = found[1]
		}
	}
	return place
}
