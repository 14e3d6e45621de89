package migrations_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// server is of these tests alone: roles such as anon and authenticated belong to a
// whole server, and what the migrations do depends on which there are.
var server *stack.Postgres

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	var err error
	if server, err = stack.StartPostgres(ctx, stack.PostgresOptions{Progress: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := server.Stop(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// The rows of testdata/builder.sql. Ann's start with a, Ben's with b.
const (
	annAuth, benAuth           = "a0000000-0000-4000-8000-0000000000ff", "b0000000-0000-4000-8000-0000000000ff"
	annUser, benUser           = "a0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000001"
	annQueue                   = "a0000000-0000-4000-8000-000000000002"
	annProject, benProject     = "a0000000-0000-4000-8000-000000000003", "b0000000-0000-4000-8000-000000000003"
	annComponent, benComponent = "a0000000-0000-4000-8000-000000000004", "b0000000-0000-4000-8000-000000000004"
	annWorkflow, benWorkflow   = "a0000000-0000-4000-8000-000000000005", "b0000000-0000-4000-8000-000000000005"
	annCode, benCode           = "a0000000-0000-4000-8000-000000000006", "b0000000-0000-4000-8000-000000000006"
	private                    = "c0000000-0000-4000-8000-000000000002"
	activeStatus               = "c0000000-0000-4000-8000-000000000003"
)

// database is one database of the server, open as its superuser and owner.
type database struct {
	testing.TB
	name string
	url  string
	conn *pgx.Conn
}

// emptyDatabase is what CREATE DATABASE makes.
func emptyDatabase(t testing.TB) *database { return newDatabase(t, "template0") }

// builderDatabase is the Workflow Builder's, on Supabase, before our migrations.
func builderDatabase(t testing.TB) *database { return newDatabase(t, builder(t)) }

// The same after our migrations, and a Supabase database that had been empty: copied
// from databases that were migrated once.
func migratedEmpty(t testing.TB) *database {
	return newDatabase(t, migratedEmptyTemplate.made(t, "template0", migrate))
}

func migratedSupabase(t testing.TB) *database {
	return newDatabase(t, migratedSupabaseTemplate.made(t, supabase(t), migrate))
}

func migratedBuilder(t testing.TB) *database {
	return newDatabase(t, migratedBuilderTemplate.made(t, builder(t), migrate))
}

func supabase(t testing.TB) string {
	return supabaseTemplate.made(t, "template0", withFile("supabase.sql"))
}

func builder(t testing.TB) string {
	return builderTemplate.made(t, supabase(t), withFile("builder.sql"))
}

// migrated runs the migrations on d.
func migrated(d *database) *database {
	d.Helper()
	migrate(d, d.url)
	return d
}

func migrate(t testing.TB, url string) {
	t.Helper()
	if err := migrations.Run(t.Context(), url, stacktest.Logger(t)); err != nil {
		t.Fatal(err)
	}
}

func withFile(name string) func(testing.TB, string) {
	return func(t testing.TB, url string) {
		t.Helper()
		roles.Lock()
		defer roles.Unlock()
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(t.Context())
		if _, err := c.Exec(t.Context(), readFile(t, "testdata/"+name)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

var supabaseTemplate, builderTemplate, migratedEmptyTemplate, migratedSupabaseTemplate, migratedBuilderTemplate templateDatabase

// templateDatabase is made once, for others to be copied from.
type templateDatabase struct {
	once sync.Once
	name string
}

// roles is held while roles are made: two sessions can't make the same one at once,
// and no lock in SQL reaches beyond its database.
var roles sync.Mutex

// made returns the database's name. The first call makes it: a copy of another, and
// then what prepare does to it.
func (d *templateDatabase) made(t testing.TB, from string, prepare func(t testing.TB, url string)) string {
	t.Helper()
	d.once.Do(func() {
		name := randomName()
		admin(t, "CREATE DATABASE "+name+" TEMPLATE "+from+" STRATEGY file_copy")
		prepare(t, server.URL(name))
		d.name = name
	})
	if d.name == "" {
		t.Fatal("the template database could not be made: see the first failure")
	}
	return d.name
}

func newDatabase(t testing.TB, template string) *database {
	t.Helper()
	name := randomName()
	admin(t, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy")
	t.Cleanup(func() { admin(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return &database{TB: t, name: name, url: server.URL(name), conn: connect(t, server.URL(name))}
}

func randomName() string { return "m_" + strings.ToLower(rand.Text()) }

// admin runs a statement about databases; one whose template is being copied by
// another test is tried again.
func admin(t testing.TB, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for try := 1; ; try++ {
		if _, err = c.Exec(ctx, statement); err == nil {
			return
		}
		if !strings.Contains(err.Error(), "55006") || try == 100 {
			t.Fatalf("%s: %v", statement, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	return c
}

// as returns d's URL for another role.
func (d *database) as(role string) string {
	u, err := url.Parse(d.url)
	if err != nil {
		d.Fatal(err)
	}
	u.User = url.User(role)
	return u.String()
}

func (d *database) exec(statement string, args ...any) {
	d.Helper()
	if _, err := d.conn.Exec(context.WithoutCancel(d.Context()), statement, args...); err != nil { // cleanups use it too
		d.Fatalf("%s\n%v", statement, err)
	}
}

// strings returns the first column of what a query finds.
func (d *database) strings(query string, args ...any) []string {
	d.Helper()
	rows, err := d.conn.Query(d.Context(), query, args...)
	if err != nil {
		d.Fatalf("%s\n%v", query, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		d.Fatalf("%s\n%v", query, err)
	}
	return found
}

func (d *database) string(query string, args ...any) string {
	d.Helper()
	found := d.strings(query, args...)
	if len(found) != 1 {
		d.Fatalf("%s\nfound %d rows, want 1", query, len(found))
	}
	return found[0]
}

// withRole makes the service's role, as the README says.
func (d *database) withRole() *database {
	d.Helper()
	roles.Lock()
	defer roles.Unlock()
	d.exec(migrations.RoleSQL())
	return d
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// script returns one file of the migrations.
func script(t testing.TB, name string) string {
	t.Helper()
	f, err := migrations.SQL().Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
