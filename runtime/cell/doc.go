// Package cell runs JavaScript in child processes of the same program, cells, that may die without
// the service.
//
// The parent has [Cells], which runs projects as runtime.Runner does: it starts the cells, gives each
// project to one of them, hands the calls over, and starts a cell again that died. A cell has [Serve],
// which runs a runtime.Runner, with a connection to Temporal of its own; what that Runner asks for or
// tells (stored code, observers, metrics, the log) goes to the parent. So a cell knows no database,
// and gets no secret but those that it works with.
//
// Between the two is gRPC over two socket pairs, one for the calls of each side. protocol.go has the
// messages, plain structs as JSON, and their version: both are the same program, so a parent and a
// cell of different versions refuse each other. The log goes over the standard error, a line at once:
// what was said before a cell died is there.
//
// It imports runtime and its rooms, nothing else of ours, and no room of runtime imports it.
package cell
