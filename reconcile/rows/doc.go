// Package rows is everything that reconcile says to the database: the statements, and
// the values that they read and write.
//
// It promises:
//
//   - A project is read in one snapshot ([QueueGlance], [QueueSnapshot]), all projects in
//     another ([ReadSurvey]); what they compare touches no text.
//   - Each function is one exchange with the database, or one transaction, bounded by
//     [DB.Timeout] where it takes a DB; what it returns are plain values.
//   - What is looked at in turn is claimed in one way, so that replicas don't look at the
//     same rows at once.
//   - The tables, columns, kinds of events and the JSON in them ([Metadata], [Result], …)
//     are a contract with the Workflow Builder, whatever the names in Go.
//   - A text that is shown in a row is bounded ([Bounded]) and something that jsonb takes.
//
// It knows nothing of queues, passes and records, decides nothing, logs nothing and starts
// no goroutine. It imports runtime for the values that runtime gives and takes, and
// migrations/database; never reconcile, upkeep or metrics.
package rows
