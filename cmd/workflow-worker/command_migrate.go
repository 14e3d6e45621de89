package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"workflow-worker/migrations"
)

func (p process) migrateCommand() *cobra.Command {
	var status, dryRun, asJSON bool
	c := &cobra.Command{
		Use: "migrate", Short: "Bring the database's tables up to date and exit", Args: cobra.NoArgs,
		Long: "Applies the migrations that are pending, each in a transaction, and says what it did. Run it as the owner\nof the tables. It needs DATABASE_URL only.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if status && dryRun {
				return exits(exitUsage, errors.New("--status and --dry-run: one of them"))
			}
			if asJSON && !status {
				return exits(exitUsage, errors.New("--json takes --status"))
			}
			s, err := p.readSettings(only("DATABASE_URL", "LOG_LEVEL", "LOG_FORMAT"))
			if err != nil {
				return err
			}
			switch {
			case status:
				return p.migrationStatus(cmd.Context(), s, asJSON)
			case dryRun:
				return p.pendingSQL(cmd.Context(), s)
			}
			return p.migrate(cmd.Context(), s)
		},
	}
	c.Flags().BoolVar(&status, "status", false, "list the migrations and change nothing; exit code 6 if any is pending")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print the SQL that would run and change nothing")
	c.Flags().BoolVar(&asJSON, "json", false, "with --status: as JSON")
	return c
}

func (p process) migrate(ctx context.Context, s settings) error {
	before, err := migrations.Look(ctx, s.DatabaseURL)
	if err != nil {
		return err
	}
	if before.Newer() {
		fmt.Fprintln(p.stdout, before.NewerText())
	}
	if err := migrations.Run(ctx, s.DatabaseURL, s.logger(p.stderr, s.LogLevel)); err != nil {
		return err
	}
	pending := before.Pending()
	for _, m := range pending {
		fmt.Fprintf(p.stdout, "applied %s\n", m.Name)
	}
	if len(pending) == 0 && !before.Newer() {
		fmt.Fprintf(p.stdout, "nothing to do: all %d migrations were applied before\n", len(before.All))
	}
	return nil
}

func (p process) migrationStatus(ctx context.Context, s settings, asJSON bool) error {
	found, err := migrations.Look(ctx, s.DatabaseURL)
	if err != nil {
		return err
	}
	if asJSON {
		type row struct {
			Version   int64      `json:"version"`
			Name      string     `json:"name"`
			AppliedAt *time.Time `json:"applied_at,omitempty"`
		}
		out := struct {
			Migrations []row   `json:"migrations"`
			Pending    int     `json:"pending"`
			Unknown    []int64 `json:"unknown,omitempty"` // applied by a newer version of the service
		}{Pending: len(found.Pending()), Unknown: found.Unknown}
		for _, m := range found.All {
			r := row{Version: m.Version, Name: m.Name}
			if m.Applied() {
				r.AppliedAt = &m.AppliedAt
			}
			out.Migrations = append(out.Migrations, r)
		}
		if err := p.printJSON(out); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		for _, m := range found.All {
			when := "pending"
			if m.Applied() {
				when = m.AppliedAt.UTC().Format(time.DateTime)
			}
			fmt.Fprintf(w, "%s\t%s\n", m.Name, when)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if found.Newer() {
			fmt.Fprintln(p.stdout, found.NewerText())
		}
	}
	if len(found.Pending()) > 0 {
		return findings()
	}
	return nil
}

// pendingSQL prints what migrate would run.
func (p process) pendingSQL(ctx context.Context, s settings) error {
	found, err := migrations.Look(ctx, s.DatabaseURL)
	if err != nil {
		return err
	}
	sql, err := found.PendingSQL()
	if err != nil {
		return err
	}
	if sql == "" {
		sql = "-- nothing is pending\n"
	}
	_, err = fmt.Fprint(p.stdout, sql)
	return err
}
