// Package stacktest gives tests their real servers: a PostgreSQL server and a
// Temporal server, each started at the first test that asks and shared by all
// tests of the binary, or, when TEST_DATABASE_URL and TEST_TEMPORAL_ADDRESS name
// them as `make test` does, by the tests of all binaries. Each test has a
// database and a task queue of its own. Those that need the service as a program
// get that too.
//
// A package that uses it says so in one line:
//
//	func TestMain(m *testing.M) { stacktest.Main(m) }
//
// Only tests import it.
package stacktest
