package migrations

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
)

// preflightSQL returns one row per problem. It lies outside sql/: it is no migration.
//
//go:embed preflight.sql
var preflightSQL string

// preflight names all that stands in the way at once, before anything is changed:
// a server too old, tables that aren't the Workflow Builder's, rights that lack.
func (d *target) preflight(ctx context.Context) error {
	rows, err := d.db.QueryContext(ctx, preflightSQL)
	if err != nil {
		return fmt.Errorf("migrations: check the database: %w", err)
	}
	defer rows.Close()
	var problems []string
	for rows.Next() {
		var p string
		if err := rows.Scan(&p); err != nil {
			return fmt.Errorf("migrations: check the database: %w", err)
		}
		problems = append(problems, p)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("migrations: check the database: %w", err)
	}
	if len(problems) > 0 {
		return &PreflightError{Problems: problems}
	}
	return nil
}

// PreflightError says why a database can't be migrated. Nothing was changed.
type PreflightError struct {
	Problems []string // one sentence each: what is wrong, and what to do
}

func (e *PreflightError) Error() string {
	return "migrations: this database can't be migrated:\n  " + strings.Join(e.Problems, "\n  ")
}
