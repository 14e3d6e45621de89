// Package protocol translates between Temporal's messages and what Temporal's TypeScript package
// speaks inside the VM: jobs and commands, payloads, failures.
//
// # What it promises
//
//   - A payload and a failure come out of JavaScript as they went in: an error that code catches and throws again goes back to
//     the server as it came.
//   - What an author's code can see of an object, the order of its properties too, depends on the message alone: it is the same
//     at replay.
//   - Every command of the package is read, in the order of the code, or refused by name.
//
// # What it must never do
//
// It translates and decides nothing: when a job comes, what a command does and what answers it is
// runtime/workflow's. It knows the VM and the bundle's values, no execution. It may import
// runtime/sandbox, and runtime/workflow/wire for what a task fails with.
package protocol
