package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

const root = "../.."

// The pages, in an order in which their SQL can run: the first makes the rows that others name.
var pages = []string{
	"README.md", "reconcile/README.md", "runtime/README.md", "runtime/VERSIONS.md", "migrations/README.md",
	"metrics/README.md", "docker/README.md", "docker/RUNBOOK.md", ".github/SECURITY.md", "cmd/workflow-worker/README.md",
	".github/CONTRIBUTING.md", "runtime/cell/README.md",
}

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var sqlBlock = regexp.MustCompile("(?s)```sql\n(.*?)```")

func TestThePagesSQLRuns(t *testing.T) {
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
	if _, err := db.Exec(t.Context(), migrations.RoleSQL()); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, name := range pages {
		for _, b := range sqlBlock.FindAllStringSubmatch(page(t, name), -1) {
			sql := strings.ReplaceAll(b[1], "<project id>", "11111111-1111-4111-8111-111111111111")
			if _, err := db.Exec(t.Context(), sql); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, sql)
			}
			ran++
		}
	}
	if ran < 10 {
		t.Errorf("%d blocks of SQL were found", ran)
	}
}

func TestTheSettingsPageListsAllWithTheirDefaults(t *testing.T) {
	_, text, _ := strings.Cut(page(t, "cmd/workflow-worker/README.md"), "\n## Settings\n")
	for f := range reflect.TypeFor[settings]().Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("env"), ",")
		if name == "" {
			continue
		}
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

// A page that a person reads: short at the front door, nothing wider than a screen but what is code.
func TestThePagesAreReadable(t *testing.T) {
	if n := strings.Count(page(t, "README.md"), "\n"); n > 200 {
		t.Errorf("README.md has %d lines, at most 200 are read", n)
	}
	for _, name := range pages {
		code := false
		for i, line := range strings.Split(page(t, name), "\n") {
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if !code && utf8.RuneCountInString(line) > 120 {
				t.Errorf("%s:%d: a line of more than 120 columns: %s", name, i+1, line)
			}
		}
	}
}

// What a terminal shows of a command.
func TestTheCommandsHelpIsReadable(t *testing.T) {
	for _, c := range (process{}).commands().Commands() {
		for line := range strings.Lines(c.Long) {
			if utf8.RuneCountInString(line) > 120 {
				t.Errorf("help %s has a line of more than 120 columns: %s", c.Name(), line)
			}
		}
	}
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	dropped  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	fencedUp = regexp.MustCompile("(?s)```.*?```")
)

// anchors are the names that a browser of the repository gives the headings.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(fencedUp.ReplaceAllString(text, ""), -1) {
		name := dropped.ReplaceAllString(strings.ToLower(h[1]), "")
		found[strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

func TestThePagesLinksLeadSomewhere(t *testing.T) {
	for _, name := range pages {
		for _, m := range link.FindAllStringSubmatch(page(t, name), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := filepath.Join(filepath.Dir(name), target)
			if target == "" {
				to = name
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: %s: %v", name, m[1], err)
			} else if anchor != "" && !anchors(page(t, to))[anchor] {
				t.Errorf("%s: %s: no such heading", name, m[1])
			}
		}
	}
}
