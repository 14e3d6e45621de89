package executions

import (
	"reflect"

	"workflow-worker/reconcile/executions/shown"
)

// Shapes are the Go types of what is JSON in the rows of executions, by their columns, for
// reconcile/schema.
func Shapes() map[string]reflect.Type {
	return map[string]reflect.Type{
		"workflow_executions.error": reflect.TypeFor[shown.Failure](), "workflow_executions.options": reflect.TypeFor[options](),
	}
}
