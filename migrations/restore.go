package migrations

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// lostSQL returns one row per thing that the migrations made and that isn't there any
// more: whether it is a table, and its name.
//
//go:embed lost.sql
var lostSQL string

// publishFile makes the publications, alone.
const publishFile = "00013_publish.sql"

// restore puts back what the migrations made and somebody dropped since. Where that
// takes rights that we lack it only says so: the service runs without a publication,
// and says itself what it can't do without a table.
func (d *target) restore(ctx context.Context) error {
	if lost, _, err := d.lost(ctx); err != nil || len(lost) == 0 {
		return err
	}
	return d.locked(ctx, func(ctx context.Context) error {
		lost, tables, err := d.lost(ctx) // again, under the lock
		if err != nil || len(lost) == 0 {
			return err
		}
		d.log.Warn("migrations: something is missing that was there, putting it back", "missing", strings.Join(lost, ", "))
		var lacks *PreflightError
		if err := d.preflight(ctx); errors.As(err, &lacks) {
			d.log.Warn("migrations: it can't be put back", "error", err)
			return nil
		} else if err != nil {
			return err
		}
		names := []string{publishFile}
		if tables {
			if names, err = fs.Glob(SQL(), "*.sql"); err != nil {
				return err
			}
		}
		for _, name := range names { // each may run any number of times, in order
			if err := d.again(ctx, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// lost names what is missing.
func (d *target) lost(ctx context.Context) (names []string, tables bool, err error) {
	rows, err := d.db.QueryContext(ctx, lostSQL)
	if err != nil {
		return nil, false, fmt.Errorf("migrations: look for what was made: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var table bool
		var name string
		if err := rows.Scan(&table, &name); err != nil {
			return nil, false, fmt.Errorf("migrations: look for what was made: %w", err)
		}
		tables = tables || table
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("migrations: look for what was made: %w", err)
	}
	return names, tables, nil
}

// again runs one file, in a transaction, and waits a while for tables in use.
func (d *target) again(ctx context.Context, name string) error {
	text, err := fs.ReadFile(SQL(), name)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		err := inTransaction(ctx, d.db, string(text))
		if err == nil {
			return nil
		}
		if err = fmt.Errorf("migrations: run %s again: %w", name, err); !busy(err) || attempt == busyAttempts {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(busyPause):
		}
	}
}

func inTransaction(ctx context.Context, db *sql.DB, text string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
