package workflow

import (
	"context"
	"log/slog"

	"github.com/dop251/goja"
)

// Keys of what workflows log.
const (
	keyProject      = "project_id"
	keyWorkflowType = "workflow"
	keyWorkflowID   = "workflow_id"
	keyRunID        = "run_id"
	keyCode         = "code"
)

// maxLogAttributes bounds one line.
const maxLogAttributes = 32

// standardAttributes are what the package adds to each line, and what we say under our own keys.
var standardAttributes = map[string]bool{
	"namespace": true, "taskQueue": true, "workflowId": true, "runId": true, "workflowType": true, "sdkComponent": true,
}

// logs tells whether a line would be written: the package would gather its attributes first, for every run's start and end.
func (d *definition) logs(level string) bool {
	return (!d.replaying || d.inQuery) && d.o.Logger.Enabled(context.Background(), logLevel(level))
}

// sink takes what `log` writes and metricMeter measures. Calls of other sinks are lost: an operator's code, which there is none of, would receive them.
func (d *definition) sink(v *vm, name, fn string, args []goja.Value) {
	switch name {
	case "__temporal_logger", "defaultWorkerLogger":
	case "__temporal_metrics":
		d.measure(fn, args)
		return
	default:
		d.lost("sink "+name, "calls of the sink "+name+" go nowhere: this service has no sinks; use log, or an activity")
		return
	}
	level := logLevel(fn)
	if len(args) == 0 || !d.logs(fn) {
		return
	}
	attrs := d.logAttributes()
	if len(args) > 1 {
		if o := object(args[1]); o != nil {
			for _, k := range o.Keys() {
				if len(attrs) == maxLogAttributes {
					break
				}
				if !standardAttributes[k] {
					attrs = append(attrs, slog.String(k, v.box.Format([]goja.Value{o.Get(k)})))
				}
			}
		}
	}
	d.o.Logger.LogAttrs(context.Background(), level, v.box.Format(args[:1]), attrs...)
}

// lost says once for each version of the code what its author would otherwise look for in vain.
func (d *definition) lost(what, message string) {
	if d.in.code.mention(what) {
		d.o.Logger.LogAttrs(context.Background(), slog.LevelWarn, message, d.logAttributes()...)
	}
}

// console takes what console.log and its like write.
func (d *definition) console(v *vm, level string, args []goja.Value) {
	if !d.logs(level) {
		return
	}
	d.o.Logger.LogAttrs(context.Background(), logLevel(level), v.box.Format(args), d.logAttributes()...)
}

func (d *definition) logAttributes() []slog.Attr {
	i := d.env.WorkflowInfo()
	return []slog.Attr{
		slog.String(keyProject, d.o.ProjectID), slog.String(keyWorkflowType, i.WorkflowType.Name),
		slog.String(keyWorkflowID, i.WorkflowExecution.ID), slog.String(keyRunID, i.WorkflowExecution.RunID),
		slog.String(keyCode, d.in.code.Hash()[:12]),
	}
}

func logLevel(name string) slog.Level {
	switch name {
	case "trace", "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
