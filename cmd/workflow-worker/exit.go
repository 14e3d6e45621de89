package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/migrations"
	"workflow-worker/migrations/database"
)

// The exit codes: what a script, or whoever supervises the service, can tell apart.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitSettings = 3
	exitDatabase = 4
	exitTemporal = 5
	exitFindings = 6
)

// exitCodes are their meanings, for the help.
var exitCodes = []struct {
	code int
	when string
}{
	{exitDone, "done, all is well, or a signal asked to stop"},
	{exitFailed, "it failed for a reason that has no code of its own; healthcheck: not ready; a second signal"},
	{exitUsage, "the command line is wrong"},
	{exitSettings, "the settings are wrong"},
	{exitDatabase, "the database can't be reached, refuses, or isn't as it must be"},
	{exitTemporal, "Temporal can't be reached, or refuses"},
	{exitFindings, "what was looked at isn't well: check, replay, status, doctor, migrate --status"},
}

func exitCodesHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, c := range exitCodes {
		fmt.Fprintf(&b, "  %d  %s\n", c.code, c.when)
	}
	return b.String()
}

// coded is an error with an exit code.
type coded struct {
	code int
	err  error
}

func (c coded) Error() string { return c.err.Error() }
func (c coded) Unwrap() error { return c.err }

// exits gives an error its exit code; nil stays nil.
func exits(code int, err error) error {
	if err == nil {
		return nil
	}
	return coded{code, err}
}

// quiet is the end of a command that has said all that there is to say.
type quiet struct{}

func (quiet) Error() string { return "see above" }

// findings ends a command whose output tells what isn't well.
func findings() error { return coded{exitFindings, quiet{}} }

// exitCode tells the causes of errors apart. One that was given wins.
func exitCode(err error) int {
	var given coded
	var refused *pgconn.PgError
	var unconnected *pgconn.ConnectError
	var preflight *migrations.PreflightError
	var pending *migrations.PendingError
	switch {
	case err == nil, errors.Is(err, errSignal):
		return exitDone
	case errors.As(err, &given):
		return given.code
	case errors.As(err, &refused), errors.As(err, &unconnected), errors.As(err, &preflight), errors.As(err, &pending), errors.Is(err, database.ErrURL):
		return exitDatabase
	case errors.Is(err, context.Canceled):
		return exitDone
	}
	return exitFailed
}
