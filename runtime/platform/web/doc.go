// Package web is the part of the web platform that workflows and activities share: URL,
// AbortController and what belongs to it, structuredClone; and Node's assert.
//
// It promises: everything in it is a function of its input alone, so that workflow code may use it;
// timers and the time of an event come from the runtime's own setTimeout and from whoever loads the
// group. A group of globals is evaluated when one of its names is first asked for, and costs a
// runtime nothing before.
//
// It may import goja and libraries, never another room of this project but runtime/platform and
// runtime/sandbox.
package web
