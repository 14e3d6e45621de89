package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// secretFile holds a secret as an editor leaves it.
func secretFile(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pgx reads PGPASSWORD from the process, which hasn't got what a file holds; and a command that asks
// for the database alone needs it as the service does.
func TestThePasswordFromAFileReachesTheDatabase(t *testing.T) {
	t.Parallel()
	file := secretFile(t, "p@ss/ w%rd")
	for given, want := range map[string]string{
		"postgres://me@h/db":                "p@ss/ w%rd",
		"postgres://me:own@h/db":            "own",
		"postgres://h:5433/db?user=me":      "p@ss/ w%rd",
		"postgres:///db?host=/run&user=me":  "p@ss/ w%rd",
		"postgres://me@h/db?password=asked": "asked",
	} {
		for name, asks := range map[string]wanted{"a command": only("DATABASE_URL"), "the service": all} {
			e := environment{"DATABASE_URL": given, "PGPASSWORD_FILE": file, "TEMPORAL_CONFIG_FILE": os.DevNull}
			s, err := process{environment: e}.readSettings(asks)
			if err != nil {
				t.Fatalf("%s: %s: %v", name, given, err)
			}
			c, err := pgconn.ParseConfig(s.DatabaseURL)
			if err != nil || c.Password != want || c.User != "me" {
				t.Errorf("%s: of %s: user %q, password %q, %v", name, given, c.User, c.Password, err)
			}
			renewed := c.Copy()
			renewed.Password = "former"
			if s.renewDatabase("DATABASE_URL", given)(renewed); renewed.Password != want {
				t.Errorf("%s: of %s: renewed, the password is %q", name, given, renewed.Password)
			}
		}
	}
	e := environment{"DATABASE_URL": "postgres://me@h/db", "PGPASSWORD_FILE": "/no/file"}
	if _, err := (process{environment: e}).readSettings(only("DATABASE_URL")); err == nil {
		t.Error("a file that isn't there is no mistake")
	}
}

// An API key takes TLS by itself, for commands too.
func TestCommandsReadTemporalsSecretsFromFiles(t *testing.T) {
	t.Parallel()
	e := environment{"TEMPORAL_ADDRESS": "h:7233", "TEMPORAL_API_KEY_FILE": secretFile(t, "key"), "TEMPORAL_CONFIG_FILE": os.DevNull}
	s, err := process{environment: e}.readSettings(only(temporalWanted))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := s.temporalOptions(); err != nil || o.Credentials == nil || s.environment["TEMPORAL_API_KEY"] != "key" {
		t.Errorf("%v, credentials %v, key %q", err, o.Credentials, s.environment["TEMPORAL_API_KEY"])
	}
	if _, err := (process{environment: environment{"TEMPORAL_ADDRESS": "h:7233", "TEMPORAL_TLS_CLIENT_KEY_DATA_FILE": "/no/file"}}).readSettings(only(temporalWanted)); err == nil {
		t.Error("a file that isn't there is no mistake")
	}
}
