// Command conformance proves that code written for Temporal's TypeScript SDK runs
// here as it does on Temporal's own worker: cases as data, each run through rows
// in a fresh PostgreSQL, the service's own process and a real Temporal server.
//
//	go run ./cmd/conformance                   # all that is built, some minutes
//	go run ./cmd/conformance -run 'timer|scope' -v
//	go run ./cmd/conformance -uncached         # every workflow task replays
//	go run ./cmd/conformance -diff             # beside Temporal's Node worker
//
// Its closing line is "N passed, N failed", its exit code 1 if a case failed.
//
// # Cases
//
// Each file in cases is a group: one project with one worker, whose cases run side
// by side. A case's row is named like the case and is started by that name. What a
// case may say is in case.go; values in YAML have tags beside JSON's types: !undefined,
// !bytes (base64: a Uint8Array), !payload {encoding, data}, and, in expectations,
// !re (a regular expression of a string) and !any. ${id}, ${run} and
// ${queue} stand for the execution's ids and the task queue, ${http}, ${https} and
// ${private} for local web servers: one that may be reached, one whose certificate
// nobody signed, and one on an address that is refused.
//
// A source without an import gets one of what it uses of @temporalio/workflow (or
// of @temporalio/activity), on its first line, so that positions stay.
//
// Results are compared whole, failures and events in what the case names. The
// history of each execution but those whose task failed is replayed from scratch,
// in this process, by the code that the service keeps for it.
//
// # The differential mode
//
// It runs the official worker (npm, in .local/conformance-node) on the same sources
// and the same server, and compares status, result, failure tree, event types,
// failed tasks and every step's answer. What must differ carries the reason in
// "deviates"; what only rows can do is left out by itself.
package main
