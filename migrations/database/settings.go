package database

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// startup are the settings that pgx itself relies on, so that they have to be there
// with the first byte. They are also those that every pooler lets through and keeps
// apart for its clients.
var startup = map[string]string{
	"client_encoding":             "UTF8",
	"standard_conforming_strings": "on",
	"DateStyle":                   "ISO",
}

// settings are what else our statements rely on, by name; a server that doesn't know
// one is asked nothing about it.
var settings = [][2]string{
	// What a statement sees and how it fails.
	{"default_transaction_isolation", "read committed"},
	{"default_transaction_deferrable", "off"},
	{"row_security", "on"},
	{"transform_null_equals", "off"},
	// Texts of values.
	{"DateStyle", "ISO"},
	{"IntervalStyle", "postgres"},
	{"bytea_output", "hex"},
	{"extra_float_digits", "1"},
	{"array_nulls", "on"},
	{"quote_all_identifiers", "off"},
	{"xmlbinary", "base64"},
	{"standard_conforming_strings", "on"},
	// Time limits: each of our statements has its own, by its context.
	{"statement_timeout", "0"},
	{"lock_timeout", "0"},
	{"idle_in_transaction_session_timeout", "0"},
	{"idle_session_timeout", "0"},
	{"transaction_timeout", "0"},
}

// settingsSQL sets them, for the transaction or for the session, and returns their
// number. It takes no arguments, so that it is the same in every exec mode.
func settingsSQL(transaction bool, where string) string {
	values := make([]string, len(settings))
	for i, s := range settings {
		values[i] = fmt.Sprintf("('%s', '%s')", s[0], s[1])
	}
	return fmt.Sprintf(`SELECT count(pg_catalog.set_config(s.name, w.value, %t)) FROM pg_catalog.pg_settings s
JOIN (VALUES %s) AS w (name, value) ON lower(w.name) = lower(s.name) %s`, transaction, strings.Join(values, ", "), where)
}

// localSettings sets them for the transaction that it is in.
var localSettings = settingsSQL(true, "")

// beginSQL begins a transaction of ours.
const beginSQL = "BEGIN ISOLATION LEVEL READ COMMITTED, NOT DEFERRABLE"

// Prepare gives a connection's configuration what has to be there from the start.
func Prepare(c *pgconn.Config) {
	for name, value := range startup {
		// The spelling is the server's; another one in the URL would come beside it.
		for theirs := range c.RuntimeParams {
			if strings.EqualFold(theirs, name) {
				delete(c.RuntimeParams, theirs)
			}
		}
		c.RuntimeParams[name] = value
	}
}

// Settle makes a fresh connection's session ours, unless a pooler is between: then
// its session isn't ours to change, and pooled is true.
func Settle(ctx context.Context, conn *pgconn.PgConn) (pooled bool, err error) {
	// A pooler makes up the process id that it gives its clients.
	sql := settingsSQL(false, fmt.Sprintf("WHERE pg_catalog.pg_backend_pid() = %d", conn.PID()))
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return false, fmt.Errorf("set up a connection: %w", err)
	}
	return len(results) == 1 && len(results[0].Rows) == 1 && string(results[0].Rows[0][0]) == "0", nil
}

// pooledMode is the exec mode to use through a pooler in place of another: without
// prepared statements, which may be on another server connection by the time that
// they are used, but with the server's own knowledge of the types.
func pooledMode(mode pgx.QueryExecMode) pgx.QueryExecMode {
	switch mode {
	case pgx.QueryExecModeCacheStatement, pgx.QueryExecModeDescribeExec:
		return pgx.QueryExecModeCacheDescribe
	default: // what somebody chose does work
		return mode
	}
}
