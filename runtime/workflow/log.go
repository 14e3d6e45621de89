package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"

	"github.com/dop251/goja"

	"workflow-worker/activities/userlog"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/workflow/protocol"
)

const (
	// maxLogAttributes bounds one line.
	maxLogAttributes = 32
	// maxLogLines is how many lines one activation may log, or one query: the rest is counted.
	maxLogLines = 1000
)

// standardAttributes are what the package adds to each line, and what we say under our own keys.
var standardAttributes = map[string]bool{
	"namespace": true, "taskQueue": true, "workflowId": true, "runId": true, "workflowType": true, "sdkComponent": true,
}

// logs tells whether a line would be written: the package would gather its attributes first, for
// every run's start and end.
func (d *definition) logs(level string) bool {
	return (!d.replaying || d.inQuery) && d.o.Logger.Enabled(context.Background(), logLevel(level))
}

// sink takes what `log` writes and metricMeter measures. Calls of other sinks are lost: an
// operator's code, which there is none of, would receive them.
func (d *definition) sink(v *machine, name, fn string, args []goja.Value) {
	switch name {
	case "__temporal_logger", "defaultWorkerLogger":
	case "__temporal_metrics":
		d.measure(fn, args)
		return
	default:
		name = userlog.Clip(name)
		d.lost("sink "+name, "calls of the sink "+name+" go nowhere: this service has no sinks; use log, or an activity")
		return
	}
	level := logLevel(fn)
	if len(args) == 0 || !d.logs(fn) || !d.mayLog() {
		return
	}
	attrs := d.userAttributes()
	if len(args) > 1 {
		if data := v.logData(protocol.Object(args[1])); data != "" {
			attrs = append(attrs, userlog.Data(data))
		}
	}
	d.o.Logger.LogAttrs(d.trace.context(), level, userlog.Clip(v.vm.Format(args[:1])), attrs...)
}

// logData is what a line's attributes are, as JSON: numbers, texts and booleans as they are, the
// rest as console shows it. The author's toJSON isn't asked: a replay, which logs nothing, wouldn't
// ask it. "" if there are none.
func (v *machine) logData(o *goja.Object) string {
	if o == nil {
		return ""
	}
	var b bytes.Buffer
	n := 0
	for _, k := range o.Keys() {
		if standardAttributes[k] {
			continue
		}
		if n == maxLogAttributes {
			break
		}
		key, _ := json.Marshal(k)
		text, err := json.Marshal(v.logValue(o.Get(k)))
		if err != nil { // NaN and the infinities
			text, _ = json.Marshal(v.vm.Format([]goja.Value{o.Get(k)}))
		}
		b.WriteByte("{,"[min(n, 1)])
		b.Write(key)
		b.WriteByte(':')
		b.Write(text)
		n++
	}
	if n == 0 {
		return ""
	}
	b.WriteByte('}')
	return b.String()
}

func (v *machine) logValue(x goja.Value) any {
	switch p := x.Export().(type) {
	case string, bool, int64, float64:
		if _, boxed := x.(*goja.Object); !boxed {
			return p
		}
	}
	return v.vm.Format([]goja.Value{x})
}

// lost says once for each version of the code what its author would otherwise look for in vain.
func (d *definition) lost(what, message string) {
	if d.in.code.mention(what) {
		d.o.Logger.LogAttrs(d.trace.context(), slog.LevelWarn, message, d.logAttributes()...)
	}
}

// console takes what console.log and its like write.
func (d *definition) console(v *machine, level string, args []goja.Value) {
	if !d.logs(level) || !d.mayLog() {
		return
	}
	d.o.Logger.LogAttrs(d.trace.context(), logLevel(level), userlog.Clip(v.vm.Format(args)), d.userAttributes()...)
}

// mayLog counts a line that is about to be written.
func (d *definition) mayLog() bool {
	d.logged++
	return d.logged <= maxLogLines
}

// tellDropped says what was left out of the log, once what logged it is over.
func (d *definition) tellDropped() {
	if n := d.logged - maxLogLines; n > 0 {
		d.o.Logger.LogAttrs(d.trace.context(), slog.LevelWarn, "the workflow logged more lines than one task may",
			append(d.logAttributes(), slog.Int(logkey.Dropped, n))...)
	}
	d.logged = 0
}

// userAttributes are those of a line that the author writes.
func (d *definition) userAttributes() []slog.Attr {
	return append(d.logAttributes(), userlog.Origin(userlog.FromWorkflow))
}

// logAttributes come after the project, which the logger has.
func (d *definition) logAttributes() []slog.Attr {
	i := d.env.WorkflowInfo()
	return []slog.Attr{
		slog.String(logkey.Workflow, i.WorkflowType.Name),
		slog.String(logkey.WorkflowID, i.WorkflowExecution.ID), slog.String(logkey.RunID, i.WorkflowExecution.RunID),
		slog.String(logkey.Code, d.in.code.Hash()[:12]),
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
