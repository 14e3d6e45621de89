// Package stack starts the two servers that the service needs, real ones, on
// this machine and without Docker: PostgreSQL with logical replication and a
// Temporal dev server. `make dev`, `make test` and the tests stand on it.
//
// It promises that what it started ends with it: Stop waits until the server is
// gone, and on Linux a server whose owner is killed gets a signal from the
// kernel. A temporary data directory whose owner died without removing it is
// removed by the next start.
//
// Both servers listen on 127.0.0.1 only and let every local user in without a
// password, so that nothing here is fit for anything but development.
//
// It knows nothing of the service: it imports nothing of ours, and no package
// of the service's own imports it outside its tests.
package stack
