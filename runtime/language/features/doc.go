// Package features is the table of what JavaScript may be used: features.txt, for readers and for
// the tests of runtime/compile, runtime/workflow and runtime/activity, which hold each entry down;
// and answers.jsonl, what Node answers to many expressions.
//
// It promises that nothing in it is silently wrong: an entry works, or is refused when a row is
// compiled, or throws an error that says what is missing. What is known to differ from Node all the
// same is in differences.jsonl, with the reason.
//
// It imports nothing of ours.
package features
