package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var sqlBlock = regexp.MustCompile("(?s)```sql\n(.*?)```")

func TestTheReadmesSQLRuns(t *testing.T) {
	t.Parallel()
	// A server of its own: roles belong to all databases of one.
	url := stacktest.Postgres(t, stack.PostgresOptions{}).URL("postgres")
	if err := migrations.Run(t.Context(), url, stacktest.Logger(t)); err != nil {
		t.Fatal(err)
	}
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	text := readme(t)
	if !strings.Contains(text, strings.TrimSpace(migrations.RoleSQL())) {
		t.Error("the README's SQL of the role isn't migrations/role.sql")
	}
	if _, err := db.Exec(t.Context(), migrations.RoleSQL()); err != nil {
		t.Fatal(err)
	}
	blocks := sqlBlock.FindAllStringSubmatch(text, -1)
	if len(blocks) < 6 {
		t.Fatalf("%d blocks of SQL were found", len(blocks))
	}
	for _, b := range blocks {
		sql := strings.ReplaceAll(b[1], "<project id>", "11111111-1111-4111-8111-111111111111")
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Errorf("%v in\n%s", err, sql)
		}
	}
}

func TestTheReadmeListsAllSettingsWithTheirDefaults(t *testing.T) {
	_, text, _ := strings.Cut(readme(t), "\n## Settings\n")
	text, _, _ = strings.Cut(text, "\n## ")
	for f := range reflect.TypeFor[settings]().Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("env"), ",")
		row := regexp.MustCompile("(?m)^\\|.*`" + name + "`.*$").FindString(text)
		if row == "" {
			t.Errorf("%s is not in the table", name)
			continue
		}
		if _, value, ok := strings.Cut(options, "default="); ok && !strings.Contains(row, "`"+value+"`") {
			t.Errorf("the default of %s, %s, is not in %q", name, value, row)
		}
	}
}
