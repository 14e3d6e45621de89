package stacktest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/migrations"
)

// MigratedDatabase is Database with our migrations applied: a copy of a database
// that the binary's first call migrates.
func MigratedDatabase(t testing.TB) string {
	t.Helper()
	adminURL := shared.database(t)
	return newDatabase(t, adminURL, shared.migratedTemplate(t, adminURL))
}

// migratedTemplate is made once per test binary. Not once per server: a server
// that outlives the run, named by TEST_DATABASE_URL, would keep one of older migrations.
func (s *servers) migratedTemplate(t testing.TB, adminURL string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.template != "" {
		return s.template
	}
	s.mustRun(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	name := "template_" + strings.ToLower(rand.Text())
	if err := createDatabase(ctx, adminURL, name, "template0"); err != nil {
		t.Fatal(err)
	}
	err := migrations.Run(ctx, databaseURL(t, adminURL, name), slog.New(slog.DiscardHandler))
	if err == nil {
		// A copy fails while anybody is connected to the original: nobody may be.
		err = asAdmin(ctx, adminURL, "close database "+name, func(c *pgx.Conn) error {
			_, err := c.Exec(ctx, "ALTER DATABASE "+quote(name)+" WITH ALLOW_CONNECTIONS false")
			return err
		})
	}
	if err != nil {
		t.Fatal(errors.Join(err, dropDatabase(ctx, adminURL, name)))
	}
	s.template = name
	return name
}
