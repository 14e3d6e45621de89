// Package activity runs one activity execution on goja: an author's TypeScript with @temporalio/activity, an event loop and
// the everyday part of the web platform.
//
// It promises: each execution has a runtime of its own, so that nothing of one is seen by the next; the execution ends when
// its promise settles, and what it left behind (timers, requests, promises) ends with it; JavaScript that doesn't yield, or
// that outlives its cancellation by more than its grace, is cut off; so is what takes more CPU time or memory than it may; what is thrown reaches Temporal as Temporal's own worker
// for TypeScript would send it, with the author's lines in the stack; the network is reached through the given client alone, and of Temporal the workflows on
// the activity's own task queue.
//
// A runtime of one's own costs 0.3 ms of CPU and 0.16 MB, with the SDK 1 ms and 0.5 MB; runtimes are made ahead of need, so that an
// activity that is called often doesn't wait for it. Reuse would save that and let globals and prototypes leak. What few activities
// use is evaluated when code first touches it: streams, the client, most of @temporalio/common.
//
// It may import runtime/compile, runtime/sandbox, runtime/web and runtime/bundle, and of activities the HTTP guard's error. It must never
// import runtime itself or runtime/workflow.
package activity
