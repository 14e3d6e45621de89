package stacktest_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack/stacktest"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

func TestConcurrentTestsGetDatabasesOfTheirOwn(t *testing.T) {
	t.Parallel()
	const n = 12
	urls := make([]string, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			urls[i] = stacktest.Database(t)
			conn, err := pgx.Connect(t.Context(), urls[i])
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(t.Context())
			if _, err := conn.Exec(t.Context(), "CREATE TABLE mine (i int)"); err != nil {
				t.Error(err) // somebody else's table would be in the way
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for _, url := range urls {
		if seen[url] {
			t.Errorf("%s was given out twice", url)
		}
		seen[url] = true
	}
}

func TestDatabaseIsDroppedUnderWhoeverIsStillConnected(t *testing.T) {
	t.Parallel()
	outer := stacktest.Database(t)
	var inner string
	t.Run("test that forgets its connection and its stream", func(t *testing.T) {
		inner = stacktest.Database(t)
		// Connections that outlive the test; the server ends them.
		if _, err := pgx.Connect(t.Context(), inner); err != nil {
			t.Fatal(err)
		}
		stream, err := pgx.Connect(t.Context(), inner+"&replication=database")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.PgConn().Exec(t.Context(), "CREATE_REPLICATION_SLOT forgotten_"+fmt.Sprint(stream.PgConn().PID())+" TEMPORARY LOGICAL pgoutput").ReadAll(); err != nil {
			t.Fatal(err)
		}
	})
	conn, err := pgx.Connect(t.Context(), outer)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	config, err := pgx.ParseConfig(inner)
	if err != nil {
		t.Fatal(err)
	}
	var left int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname = $1", config.Database).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("database %s is still there", config.Database)
	}
}

func TestTaskQueuesAreNeverShared(t *testing.T) {
	t.Parallel()
	if a, b := stacktest.TaskQueue(t), stacktest.TaskQueue(t); a == b {
		t.Errorf("twice %s", a)
	}
}

func TestLoggerOutlivesItsTestWithoutPanic(t *testing.T) {
	t.Parallel()
	var log interface{ Info(string, ...any) }
	t.Run("inner", func(t *testing.T) { log = stacktest.Logger(t) })
	log.Info("a goroutine that is still on its way out")
}

func TestMigratedDatabasesHaveTheTablesAndShareNoRows(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			conn, err := pgx.Connect(t.Context(), stacktest.MigratedDatabase(t))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(t.Context())
			// Twice the same task queue would be an error in one database.
			if _, err := conn.Exec(t.Context(), "INSERT INTO projects (name, task_queue_name) VALUES ('p', 'only-once')"); err != nil {
				t.Error(err)
			}
			var published int
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_publication").Scan(&published); err != nil || published != 2 {
				t.Errorf("%d publications, error %v; want 2", published, err)
			}
		})
	}
	group.Wait()
}
