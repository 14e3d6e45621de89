package wire

import (
	"encoding/json"
	"slices"
	"strings"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
)

// The SDK's version markers hold a patch. It lists them in a search attribute, each as "id-1";
// Temporal's documentation tells authors of TypeScript to look for "id". So what the SDK lists gets
// both names on its way to the server, where nothing compares it with a replay.
const (
	changeVersions = "TemporalChangeVersion"
	// PatchVersion is the version that a patch has to the SDK, VersionSuffix what it appends to the
	// name for it.
	PatchVersion  = 1
	VersionSuffix = "-1"
	// MaxChangeVersions is where the SDK stops: the server takes no value of 2 KB or more.
	MaxChangeVersions = 2048
)

// nameChanges gives the lists of patches in a task's commands both names.
func nameChanges(commands []*commandpb.Command) {
	for _, c := range commands {
		p := c.GetUpsertWorkflowSearchAttributesCommandAttributes().GetSearchAttributes().GetIndexedFields()[changeVersions]
		var listed []string
		if p == nil || json.Unmarshal(p.GetData(), &listed) != nil {
			continue
		}
		if data, err := json.Marshal(bothNames(listed)); err == nil {
			p.Data = data
		}
	}
}

// bothNames has the plain names first: when there isn't room for all, it is those that remain.
func bothNames(listed []string) []string {
	slices.Sort(listed) // the SDK has them from a map
	var plain []string
	for _, name := range listed {
		if id, ok := strings.CutSuffix(name, VersionSuffix); ok {
			plain = append(plain, id)
		}
	}
	var out []string
	size := len("[]")
	for _, name := range append(plain, listed...) {
		text, err := json.Marshal(name)
		if more := len(text) + len(","); err == nil && size+more < MaxChangeVersions && !slices.Contains(out, name) {
			out, size = append(out, name), size+more
		}
	}
	return out
}

// Record notes a marker that goes to the server behind the commands of a task. false: nobody sees
// the task on its way.
func (t *Tasks) Record(runID string, marker *commandpb.Command) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.runs[runID]
	if r == nil || r.tasks == 0 || t.api == nil {
		return false
	}
	r.markers = append(r.markers, marker)
	return true
}

// addMarkers puts a task's own markers behind its commands, and before the run's end: the SDK
// counts the events that come of its commands.
func (t *Tasks) addMarkers(r *workflowservice.RespondWorkflowTaskCompletedRequest) {
	t.mu.Lock()
	var markers []*commandpb.Command
	open, ok := t.open[string(r.GetTaskToken())]
	if run := t.runs[open.runID]; ok && run != nil {
		markers, run.markers = run.markers, nil
	}
	t.mu.Unlock()
	if !ok {
		return // another attempt to send it
	}
	nameChanges(r.GetCommands())
	nameCanceller(r.GetCommands(), open.runID)
	if len(markers) > 0 {
		at := len(r.Commands)
		if at > 0 && ending(r.Commands[at-1]) {
			at--
		}
		r.Commands = slices.Insert(r.Commands, at, markers...)
	}
}

func ending(c *commandpb.Command) bool {
	switch c.GetCommandType() {
	case enumspb.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, enumspb.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
		enumspb.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, enumspb.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
		return true
	}
	return false
}

// VersionMarker is the SDK's for a patch that the list has no room for. The SDK reads it from the
// history like its own, wherever it is.
func VersionMarker(convert converter.DataConverter, id string) (*commandpb.Command, error) {
	details := map[string]*commonpb.Payloads{}
	for name, value := range map[string]any{"change-id": id, "version": PatchVersion, "version-search-attribute-updated": false} {
		p, err := convert.ToPayloads(value)
		if err != nil {
			return nil, err
		}
		details[name] = p
	}
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_RECORD_MARKER,
		Attributes: &commandpb.Command_RecordMarkerCommandAttributes{RecordMarkerCommandAttributes: &commandpb.RecordMarkerCommandAttributes{
			MarkerName: "Version", Details: details,
		}},
	}, nil
}
