package database_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"workflow-worker/migrations/database"
)

func TestWhatIsWrongWithAURLIsSaidByItsPart(t *testing.T) {
	t.Parallel()
	junk := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(junk, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"mysql://u:hidden@h/d":                         "must begin with postgres://",
		"host=h password=hidden":                       "must begin with postgres://",
		"postgres://u:hid%hidden@h:5432/d":             `the password has a "%"`,
		"postgres://u%:hidden@h:5432/d":                `the user has a "%"`,
		"postgres://u:hidden@h:port/d":                 `the port is "port"`,
		"postgres://u:hidden@h:70000/d":                `the port is "70000"`,
		"postgres://u:hidden@h/d?sslmode=verify":       `sslmode is "verify", must be disable, allow`,
		"postgres://u:hidden@h/d?sslrootcert=/no/file": "sslrootcert can't be read: open /no/file",
		"postgres://u:hidden@h/d?sslrootcert=" + junk:  "has no certificate in PEM form",
		"postgres://u:hidden@h/d?sslcert=/no/file":     "sslcert and sslkey must be given together",
		"postgres://u:hidden@h/d?sslcert=/a&sslkey=/b": "sslcert can't be read",
		"postgres://u:hidden@h/d?connect_timeout=soon": "",
		"postgres://u:hidden@::1:5432/d":               `the host "::1:5432" can't be read: an IPv6 address is written [::1]`,
		"postgres://u:hidden@::1/d":                    "an IPv6 address is written [::1]",
		"postgres://u:hidden@[::1/d":                   "an IPv6 address is written [::1]",
		"postgres://u:hidden@[::1]:port/d":             `the port is "port"`,
		"postgres://u:hidden@ h/d":                     `the host " h" has a space`,
		// Read as parameters: somebody wrote "?" for "@".
		"postgres://pages?127.0.0.1:5432/d?sslmode=disable": `what follows the first "?" are no parameters`,
		"postgres://u?hidden@h/d?sslmode=disable":           `what follows the first "?" are no parameters`,
	} {
		err := database.CheckURL(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	for _, url := range []string{"postgres://u:p@h/d", "postgresql://h", "postgres://u:p%25@h1:1,h2:2/d?sslmode=require", "postgres:///d?host=/run/postgresql",
		"postgres://u:p@[::1]:5432/d", "postgres://u:p@[::1]/d", "postgres://u:p@[fe80::1%25eth0]:5432,h/d",
		"postgres://h/d?app.user_id=5&sslmode=disable"} {
		if err := database.CheckURL(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}
