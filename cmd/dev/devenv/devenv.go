// Package devenv is what a running `make dev` tells others: the addresses of its
// servers, in .local/dev.env of the checkout, in a form that a shell can source.
package devenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNotRunning is what Read returns when there is no `make dev`.
var ErrNotRunning = errors.New("it needs a running `make dev`: start that in another terminal")

// Addresses of the servers.
type Addresses struct {
	DatabaseURL       string
	TemporalAddress   string // host:port
	TemporalNamespace string
	TemporalUI        string // URL; empty if the Temporal server is not `make dev`'s own
	ServiceURL        string
}

// fields gives each a name, the service's own where it has one.
func (a *Addresses) fields() []struct {
	name  string
	value *string
} {
	return []struct {
		name  string
		value *string
	}{
		{"DATABASE_URL", &a.DatabaseURL},
		{"TEMPORAL_ADDRESS", &a.TemporalAddress},
		{"TEMPORAL_NAMESPACE", &a.TemporalNamespace},
		{"TEMPORAL_UI", &a.TemporalUI},
		{"SERVICE_URL", &a.ServiceURL},
	}
}

func path(root string) string { return filepath.Join(root, ".local", "dev.env") }

const quoteInQuotes = `'\''` // how a shell writes a quote within quotes

// Write tells the addresses of the checkout at root.
func Write(root string, a Addresses) error {
	var text strings.Builder
	for _, f := range a.fields() {
		fmt.Fprintf(&text, "export %s='%s'\n", f.name, strings.ReplaceAll(*f.value, "'", quoteInQuotes))
	}
	return os.WriteFile(path(root), []byte(text.String()), 0o600) // a URL may hold a password
}

// Read returns the addresses of the checkout at root, or ErrNotRunning.
func Read(root string) (Addresses, error) {
	var a Addresses
	text, err := os.ReadFile(path(root))
	if errors.Is(err, fs.ErrNotExist) {
		return a, ErrNotRunning
	}
	if err != nil {
		return a, err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); found {
			value = strings.TrimSuffix(strings.TrimPrefix(value, "'"), "'")
			values[name] = strings.ReplaceAll(value, quoteInQuotes, "'")
		}
	}
	for _, f := range a.fields() {
		*f.value = values[f.name]
	}
	return a, nil
}

// Remove takes them back. It is no error when there are none.
func Remove(root string) error {
	err := os.Remove(path(root))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
