// Package database gives connections on which our statements mean the same
// everywhere: whatever the database, the role or the server has set for itself, and
// whoever hands the connections out.
//
// What it promises:
//
//   - No setting of a database or a role changes what our statements do or return:
//     the isolation level, the form of dates, time limits, and the rest of [settings].
//     search_path isn't among them, for the owner's triggers may rely on it: our SQL
//     names every table by its schema. Nor is default_transaction_read_only: who has
//     set that wants no writes.
//   - A pooler is recognised by what it answers: the process at the other end isn't
//     the one that the connection was told of. Nothing is then left behind in a
//     session, which is somebody else's a moment later: each statement brings its
//     settings along in a transaction of its own, in the same exchange, and no
//     prepared statement is relied on.
//   - What the server itself asks to be tried again (a deadlock, a serialization
//     failure) is tried again in place.
//
// It knows no table, and imports nothing else of ours.
package database
