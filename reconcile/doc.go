// Package reconcile makes what runs in this process match what the rows say.
//
// A hint names a project ([Reconciler.LookAt]); a worker of the queue then
// makes one pass over it: read what the project should be, in one snapshot;
// compare it with what this process runs ([plan]); make the smallest change
// through the [Runner]; write what is into workflow_workers and finish the
// project's worker_requests. A pass never trusts the hint for more than the
// name, so a lost, doubled or reordered hint can delay the right state and
// never cause a wrong one.
//
// It promises:
//
//   - One pass at a time for a project, many projects at once. A project that
//     fails is retried with a back-off of its own and delays nobody else.
//   - Looking at everything ([Reconciler.LookAtAll]) costs one statement; only
//     projects whose rows changed are read. A fresh hint overtakes that work.
//   - Code that vanishes stays live for RemovalGrace, see [plan] for what
//     waits and what doesn't.
//   - A worker_requests row always ends completed or failed with a reason.
//   - A check or migrate request, which replays histories, holds nothing up; it is
//     complete once every replica knows whom it moved.
//   - workflow_workers has one row per project and replica that says what is,
//     with a heartbeat; rows of dead replicas are marked failed.
//   - With ProjectReplicas a project runs on so many of the living replicas. A move
//     overlaps, so that it runs twice rather than not at all; a database that is away
//     moves nothing.
//   - Code stays in the store as long as an execution may need it, and no longer
//     than a while after; what happened is in worker_events; the rows tell how many
//     executions are on older code, keep theirs, or get no further: see upkeep.
//   - Neither a broken database nor a broken Temporal ends the process.
//
// Its rooms: rows has all that is said to the database, upkeep what goes on beside the
// passes, executions the rows that start executions and follow them (in executions/steps
// their steps), placement which replica runs a project, trouble how they tell what fails. Here are the queue, the plan,
// the pass and its execution, requests and the shutdown. A pass is read in this order:
// reconciler.go (who asks for it), pass.go, plan.go, execute.go, write.go; requests in
// requests.go, judge.go, ask.go and check.go; where projects run in places.go and
// replicas.go. What is beside it has types of its own: checks, shutdown, totals.
//
// It imports its rooms, runtime and database and nothing else of ours; none of its rooms
// imports it. It doesn't know how hints come about, what JavaScript is, or that metrics
// exist.
package reconcile
