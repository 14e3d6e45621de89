// Package sandbox is what workflow and activity executions share: a goja runtime set up for
// untrusted code, and the edges between it and Go.
//
// It promises: JavaScript runs only inside VM.Enter, which ends it when its time is over; the call
// depth, the builtins under way and the memory that is kept are limited; AsyncLocalStorage follows
// promises; a stack names the author's functions and lines and nothing of ours; payloads convert as
// Temporal's default converter for TypeScript converts them.
//
// What goja lacks of the language, and the bounds of its builtins, are the rooms' of
// runtime/language: New hands them the VM (see host), and they make what code finds.
//
// goja stops loops, recursion of JavaScript and microtask storms within milliseconds of an
// interrupt, but not a builtin that computes for long by itself, nor builtins that call each other
// until Go's stack ends the process. So builtins are counted (see gojaInternals: the one place that
// reaches into goja), and what they may go through and make is limited, each by an error that names
// its limit; programs must have been through operators.Rewrite. testdata/hostile.txt is what has
// been tried. goja counts no memory: what a VM keeps is estimated (see Memory) and noticed when it
// has been taken. Sharing a process is a fairness boundary, not a security boundary.
//
// It may import goja, its companion packages, Temporal's API types and the rooms of
// runtime/language, which never import it; and no other room of this project.
package sandbox
