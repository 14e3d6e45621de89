// Package migrations brings a database to the form that the service needs: the
// tables of the contract with the Workflow Builder, their keys, indexes, comments
// and triggers, who may see them, and the publications that the service listens to.
//
// It promises that Run works on an empty database and on the Workflow Builder's
// own alike, never drops or rewrites anybody's data, does nothing where nothing is
// to be done, and is safe to call from any number of processes at once. What it
// runs is plain SQL in sql/, written to be read by a DBA first; see SQL and
// `workflow-worker migrate`.
//
// Each file runs in a transaction of its own and gives up soon where a table is
// in use (lock_timeout), because a waiting ALTER TABLE makes everybody else wait;
// Run then tries again.
//
// The lock that keeps processes apart belongs to a transaction, not to a session,
// so that Run also works through a pooler in transaction mode (Supabase's port
// 6543, PgBouncer). The change stream doesn't: that needs a direct connection.
//
// role.sql is the service's own role with the least rights; RoleSQL returns it.
//
// Must never import anything of ours.
package migrations
