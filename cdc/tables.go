package cdc

// table is what cdc knows about one table of the contract.
type table struct {
	// key is the column that leads to the project.
	key string
	// leads says how.
	leads leads
	// columns must be published: the row's id, which is what a default replica
	// identity consists of, and the key.
	columns []string
	// insertOnly: only new rows mean anything. We write to the others ourselves.
	insertOnly bool
}

type leads int

const (
	isProject    leads = iota // the key is the project's id
	isWorkflow                // the key is a workflow's id; its project has to be looked up
	ownsOrShares              // the key is the project's id, or null in a row that several projects may use
)

// contractTable returns what is known about a table. It goes by the name alone: a
// namesake in another schema could only cause hints too many.
func contractTable(name string) (table, bool) {
	switch name {
	case "projects":
		return table{key: "id", leads: isProject, columns: []string{"id"}}, true
	case "workflows":
		return table{key: "project_id", leads: isProject, columns: []string{"id", "project_id"}}, true
	case "workflow_compiled_code":
		return table{key: "workflow_id", leads: isWorkflow, columns: []string{"id", "workflow_id"}}, true
	case "components":
		return table{key: "project_id", leads: ownsOrShares, columns: []string{"id", "project_id"}}, true
	case "worker_requests":
		return table{key: "project_id", leads: isProject, columns: []string{"id", "project_id"}, insertOnly: true}, true
	}
	return table{}, false
}

// contractTables names the tables that the publications must carry.
func contractTables() []string {
	return []string{"projects", "workflows", "workflow_compiled_code", "components", "worker_requests"}
}

// isOurs tells the tables that only we write to. They are in no publication of ours,
// but somebody may have added them, or publish all tables: without this our own
// heartbeat would be an unknown change, and so a reason to look at everything.
func isOurs(name string) bool {
	switch name {
	case "workflow_workers", "activity_statistics", "workflow_code_store", "workflow_live_code",
		// Not only we write to these, but what is to be seen of them comes as a message.
		"workflow_executions", "workflow_execution_requests", "component_executions",
		"workflow_statistics", "project_statistics":
		return true
	}
	return false
}
