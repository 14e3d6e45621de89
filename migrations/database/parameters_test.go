package database_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations/database"
)

func withParameter(t *testing.T, u, name, value string) string {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	q := parsed.Query()
	q.Set(name, value)
	parsed.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // pgx, as libpq, leaves a plus
	return parsed.String()
}

// What other clients understand alone the server refuses, so a URL that serves them too is rid of it.
func TestAURLForOtherClientsServesHere(t *testing.T) {
	t.Parallel()
	plain := stacktest.Database(t)
	if database.Understood(plain) != plain {
		t.Errorf("%s becomes %s", plain, database.Understood(plain))
	}
	for name, value := range map[string]string{
		"gssencmode": "disable", "keepalives": "1", "keepalives_idle": "30", "fallback_application_name": "x", "sslcompression": "0",
		"pool_max_conns": "3", "pgbouncer": "true", "connection_limit": "1",
	} {
		u := withParameter(t, plain, name, value)
		if conn, err := pgconn.Connect(t.Context(), u); err == nil {
			_ = conn.Close(t.Context())
			t.Errorf("the server takes %s", name)
		} else if refused := new(pgconn.PgError); !errors.As(err, &refused) || refused.Code != "42704" {
			t.Errorf("%s: %v", name, err)
		}
		if err := database.CheckURL(u); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		conn, err := pgconn.Connect(t.Context(), database.Understood(u))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = conn.Close(t.Context())
	}
	for name, value := range map[string]string{"sslcrl": "/a.crl", "gssencmode": "require", "hostaddr": "127.0.0.1", "schema": "mine"} {
		if err := database.CheckURL(withParameter(t, plain, name, value)); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "not supported") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the server knows reaches it.
func TestSettingsOfTheSessionReachTheServer(t *testing.T) {
	t.Parallel()
	plain := stacktest.Database(t)
	for _, tc := range []struct{ name, value, setting, want string }{
		{"application_name", "mine", "application_name", "mine"},
		{"options", "-c work_mem=7MB", "work_mem", "7MB"},
		{"search_path", "pg_temp", "search_path", "pg_temp"},
		{"statement_timeout", "7s", "statement_timeout", "7s"},
		{"timezone", "Asia/Kolkata", "TimeZone", "Asia/Kolkata"},
		{"enable_seqscan", "off", "enable_seqscan", "off"},
		{"app.user", "ann", "app.user", "ann"},
	} {
		u := withParameter(t, plain, tc.name, tc.value)
		if err := database.CheckURL(u); err != nil || database.Understood(u) != u {
			t.Errorf("%s: %v %s", tc.name, err, database.Understood(u))
		}
		conn, err := pgx.Connect(t.Context(), u)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		var got string
		if err := conn.QueryRow(t.Context(), `SELECT current_setting($1)`, tc.setting).Scan(&got); err != nil || got != tc.want {
			t.Errorf("%s: %q %v", tc.name, got, err)
		}
		_ = conn.Close(t.Context())
	}
}
