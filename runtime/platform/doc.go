// Package platform is what author's code finds beside the language, as modules behind one contract:
// each in a folder of its own, with the names that it defines, the program that makes them, and
// what Go gives that program. A module is evaluated when one of its names is first used, and costs
// nothing before.
//
// It promises: a module sees the execution that it is in through Host alone, and other modules
// through what they share; what it has running in the background ends with the execution.
//
// It may import runtime/sandbox, runtime/eventloop and goja; of its folders, those for activities
// may import package activities' limits and the HTTP guard's error, and Temporal's API; never
// runtime, runtime/activity or runtime/workflow.
package platform
