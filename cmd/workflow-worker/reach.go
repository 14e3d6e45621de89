package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/metrics"
	"workflow-worker/migrations"
	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/compile"
)

// askTimeout bounds one question of a command to the database.
const askTimeout = 15 * time.Second

// reachDatabase is for the commands that only ask, of a database with this binary's schema.
func (s settings) reachDatabase(ctx context.Context) (rows.DB, error) {
	pool, err := database.Open(ctx, s.DatabaseURL, database.Options{MaxConns: 2, Name: "workflow-worker command"})
	if err != nil {
		return rows.DB{}, exits(exitSettings, fmt.Errorf("DATABASE_URL: %w", err))
	}
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := pool.Ping(asking); err != nil {
		pool.Close()
		return rows.DB{}, exits(exitDatabase, fmt.Errorf("reach the database: %w", err))
	}
	if _, err := migrations.Check(asking, s.DatabaseURL); err != nil {
		pool.Close()
		return rows.DB{}, err
	}
	return rows.DB{Pool: pool, Timeout: askTimeout}, nil
}

// reachTemporal is so too.
func (s settings) reachTemporal(ctx context.Context) (temporalClient, error) {
	c, _, err := s.dialTemporal(nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return c, err
	}
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := metrics.CheckTemporal(c, c.namespace)(asking); err != nil {
		c.Close()
		return c, exits(exitTemporal, fmt.Errorf("reach Temporal: %w", err))
	}
	return c, nil
}

// compiler compiles in child processes, as the service does: a text may be anybody's.
func (s settings) compiler() (*compile.Compiler, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's own file, to start the compiler process: %w", err)
	}
	return compile.New(compile.Config{Command: []string{self, compileCommand}, Modules: s.ModulesDir}), nil
}

// examine compiles a project as the service would.
func (s settings) examine(ctx context.Context, store runtime.CodeStore, p runtime.Project) (*runtime.Examined, func(), error) {
	compiler, err := s.compiler()
	if err != nil {
		return nil, nil, err
	}
	x, err := runtime.Examine(ctx, runtime.Config{Compiler: compiler, Store: store}, p)
	if err != nil {
		compiler.Close()
		return nil, nil, err
	}
	return x, func() {
		x.Close()
		compiler.Close()
	}, nil
}

// renewDatabase gives new connections the secrets of now.
func (s settings) renewDatabase(name, given string) func(*pgconn.Config) {
	path, inFile := s.environment.Lookup(name + fileSuffix)
	return database.Renewing(func() (string, error) {
		if !inFile {
			return s.withPassword(given), nil
		}
		now, err := readSecret(path)
		return s.withPassword(now), err
	})
}

// withPassword is a URL of PostgreSQL with the password that PGPASSWORD_FILE holds now, where it has
// none of its own. A file that can't be read was told of at the start, or is being replaced.
func (s settings) withPassword(text string) string {
	path, inFile := s.environment.Lookup(passwordVariable + fileSuffix)
	if !inFile {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") || u.Query().Has("password") || u.Query().Has("passfile") {
		return text
	}
	if _, own := u.User.Password(); own {
		return text
	}
	password, err := readSecret(path)
	if err != nil {
		return text
	}
	if name := u.User.Username(); name != "" {
		u.User = url.UserPassword(name, password)
		return u.String()
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "password=" + strings.ReplaceAll(url.QueryEscape(password), "+", "%20") // as pgx reads it
	return u.String()
}

// renewStream is so for change capture, whose stream may have a URL of its own.
func (s settings) renewStream() func(c *pgconn.Config, replication bool) {
	rows := s.renewDatabase("DATABASE_URL", s.DatabaseURL)
	stream := rows
	if s.ReplicationDatabaseURL != "" {
		stream = s.renewDatabase("REPLICATION_DATABASE_URL", s.ReplicationDatabaseURL)
	}
	return func(c *pgconn.Config, replication bool) {
		if replication {
			stream(c)
		} else {
			rows(c)
		}
	}
}

// ofProject gives a project's id, by its id, its name or its task queue.
func ofProject(ctx context.Context, db rows.DB, project string) (string, error) {
	ids, err := rows.ProjectIDs(ctx, db, project)
	switch {
	case errors.Is(err, rows.ErrNoProject):
		return "", exits(exitUsage, err)
	case err != nil:
		return "", err
	case len(ids) != 1:
		return "", exits(exitUsage, errors.New("which project?"))
	}
	return ids[0], nil
}
