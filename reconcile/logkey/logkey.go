// Package logkey has the keys under which reconcile's rooms log, one for each thing.
// They are part of what operators search by: they stay. It imports nothing.
package logkey

const (
	Project      = "project_id"
	Replica      = "replica"
	OtherReplica = "other_replica"
	Projects     = "projects"
	Cause        = "cause"
	Error        = "error"
	Failures     = "failures"
	Request      = "request"
)
