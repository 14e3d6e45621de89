package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// differences says in what the official worker (theirs) does otherwise than ours.
func differences(c *testCase, ours, theirs observed) []string {
	var out []string
	note := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			out = append(out, fmt.Sprintf("%s: here %s, there %s", what, show(a), show(b)))
		}
	}
	note("status", ours.Status, theirs.Status)
	note("result", ours.Result, theirs.Result)
	note("failure", any(withoutVolatile(ours.Failure)), any(withoutVolatile(theirs.Failure)))
	// A hint may be added to what the official worker says of a failed task.
	here, there := messageOf(ours.TaskFailure), messageOf(theirs.TaskFailure)
	if (here == "") != (there == "") || !strings.Contains(here, there) {
		note("task failure", here, there)
	}
	if !c.AnyOrder && c.TaskFailure.IsZero() {
		ourOwn, ourRest := split(ours.Events)
		theirOwn, theirRest := split(theirs.Events)
		note("events of its code", ourOwn, theirOwn)
		note("events it met", ourRest, theirRest)
	}
	note("answers", any(ours.Answers), any(theirs.Answers))
	return out
}

// split parts what a workflow's code did, in its order, from what happened to it, whose order is
// the server's choice.
func split(events []string) (own, met string) {
	var ours, others []string
	for _, e := range events {
		switch e {
		case "ActivityTaskStarted", "ActivityTaskCompleted", "ActivityTaskFailed", "ActivityTaskTimedOut", "ActivityTaskCanceled", "TimerFired",
			"ChildWorkflowExecutionStarted", "ChildWorkflowExecutionCompleted", "ChildWorkflowExecutionFailed", "ChildWorkflowExecutionCanceled",
			"ChildWorkflowExecutionTimedOut", "ChildWorkflowExecutionTerminated", "StartChildWorkflowExecutionFailed",
			"ExternalWorkflowExecutionSignaled", "SignalExternalWorkflowExecutionFailed", "ExternalWorkflowExecutionCancelRequested",
			"RequestCancelExternalWorkflowExecutionFailed", "WorkflowExecutionSignaled", "WorkflowExecutionCancelRequested":
			others = append(others, e)
		default:
			ours = append(ours, e)
		}
	}
	slices.Sort(others)
	return strings.Join(ours, " "), strings.Join(others, " ")
}

func messageOf(failure map[string]any) string {
	s, _ := failure["message"].(string)
	return s
}
