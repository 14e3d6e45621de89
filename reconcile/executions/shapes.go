package executions

import "reflect"

// Shapes are the Go types of what is JSON in the rows of executions, by their columns, for
// reconcile/schema.
func Shapes() map[string]reflect.Type {
	return map[string]reflect.Type{
		"workflow_executions.error": reflect.TypeFor[failure](), "workflow_executions.options": reflect.TypeFor[options](),
	}
}
