// Package cldr carries Unicode's locale data (CLDR) for runtime/language/intl, as far as that needs
// it, and the time zones of the Go that built the program.
//
// It promises: the same package-lock.json gives the same bytes; a locale costs nothing until it is
// asked for, and then its texts, once per process; neither the machine's zones nor the variable
// ZONEINFO are looked at, so that all replicas of a build agree. Without the built files the
// program still builds, and what needs them fails with the command to run.
//
// The built files are not in git. `make bundle` (go generate) writes them. To upgrade, change the
// versions in package.json, run `npm install`, `make bundle` and, under a Node that has the same
// CLDR (node -p process.versions.cldr), the scripts of runtime/language/intl/testdata.
//
// It imports nothing of ours.
package cldr

//go:generate go run ./generate
