// Package doctor looks at all that the service needs and says what is wrong, with what mends it.
//
// # What it promises
//
//   - Each check has a stable id, a group and a severity, and a heading of docker/RUNBOOK.md.
//   - It goes on after a failure; what can't be looked at because of one is skipped, and says so.
//   - It changes nothing, and shows no password.
//
// What a check asks is known by the room that needs it: migrations, cdc, reconcile/rows, metrics.
package doctor
