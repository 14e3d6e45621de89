// Package trouble is how the loops of reconcile tell that something doesn't work:
// quietly in the log, where failures come in crowds, and in words to whoever shows
// whether the service does its job.
//
// It knows what the service's duties are called and nothing about how they are done.
// It imports runtime/logkey and nothing else of ours.
package trouble
