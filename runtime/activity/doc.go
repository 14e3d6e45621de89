// Package activity runs one activity execution on goja: an author's TypeScript with
// @temporalio/activity, an event loop and the everyday part of the web platform.
//
// It promises: nothing of one execution is seen by the next; the execution ends when its promise
// settles, and what it left behind (timers, requests, promises) ends with it; JavaScript that
// doesn't yield, or that outlives its cancellation by more than its grace, is cut off; so is what
// takes more CPU time or memory than it may; what is thrown reaches Temporal as Temporal's own
// worker for TypeScript would send it, with the author's lines in the stack; the network is reached
// through the given client alone, and of Temporal the workflows on the activity's own task queue.
//
// Code that is called often runs on machines: runtimes whose builtins and SDK are frozen, on which
// executions have a global object and an evaluation of the module each. An execution there takes a
// seventh of the allocations of one on a runtime of its own, which costs 0.3 ms of CPU and 0.16 MB,
// with the SDK 1 ms and 0.5 MB. A machine costs as much as some dozens of them. Frozen builtins are
// no place for code that changes them, as npm packages do: what the text shows
// (compile.Program.WantsOwnBuiltins), and what fails for it, has a runtime of its own for each
// execution, made ahead of need. What few activities use is evaluated when code first touches it:
// streams, the client, most of @temporalio/common.
//
// What code finds beside the language are runtime/platform's modules; this package lists them, and
// is their Host. It may import runtime/compile, runtime/sandbox, runtime/eventloop,
// runtime/platform and runtime/bundle, and of activities the settings' names. It must never import
// runtime itself or runtime/workflow.
package activity
