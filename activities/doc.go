// Package activities holds the built-in activities that every project can call without writing one:
// sampleActivity, buildPackage, httpRequest, transformData, waitFor, logMessage and validateData.
//
// Each takes one object and speaks Temporal's JSON payloads, with JavaScript's idea of values:
// numbers print as JavaScript prints them, objects keep their order, lengths count UTF-16 code
// units, patterns are JavaScript's. Input that an activity can't work with is a non-retryable
// application failure of type ValidationError that names the field.
//
// The package also owns the one HTTP client that untrusted code reaches the network through:
// [HTTPClient] refuses addresses that are not public, checked on the address actually dialled.
//
// It knows nothing of projects' code, of goja or of the database, and imports nothing of ours but
// the engine of regular expressions.
package activities
