package main

import (
	"fmt"
	"reflect"
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
		note("events", strings.Join(ours.Events, " "), strings.Join(theirs.Events, " "))
	}
	note("answers", any(ours.Answers), any(theirs.Answers))
	return out
}

func messageOf(failure map[string]any) string {
	s, _ := failure["message"].(string)
	return s
}
