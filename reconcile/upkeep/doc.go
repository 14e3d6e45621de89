// Package upkeep is what goes on beside the passes of reconcile: heartbeats, code that no
// execution needs any more, who is on older code, keeps its code or gets no further,
// polls that fail, the statistics of activities and of what else has ended.
//
// It promises:
//
//   - Each service is a type with a small configuration of its own and a Run that works
//     until its context ends. It waits for nobody, and no pass waits for it.
//   - A database or a Temporal that is away makes it say so, once in a while, and try again;
//     what it was told in between is kept, within a bound.
//   - What is to be looked at in turn is looked at by one replica at a time.
//   - When in doubt code stays, and so does what was noted about an execution.
//
// What a service finds out about projects it gives to a function of its configuration; what
// becomes of that is reconcile's. It imports rows for all that it says to the database, and
// never reconcile: it knows of no queue, pass or record.
package upkeep
