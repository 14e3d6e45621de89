// Package dates reads dates in texts as V8 does: the standard's format, and whatever else V8 makes
// something of. The only zone is UTC.
//
// It imports nothing of ours, and no engine.
package dates
