// Package wording has errors that goja throws say what V8's say: people search for those.
//
// It promises: an error is worded where it is made, so that its message, its stack and a failure
// agree; nothing of the author's is called to find the words; errors that code makes stay as they
// are.
package wording
