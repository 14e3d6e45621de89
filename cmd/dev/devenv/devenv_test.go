package devenv_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"workflow-worker/cmd/dev/devenv"
)

func TestAddressesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if _, err := devenv.Read(root); !errors.Is(err, devenv.ErrNotRunning) {
		t.Errorf("before: %v", err)
	}
	if err := os.Mkdir(filepath.Join(root, ".local"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := devenv.Addresses{
		DatabaseURL: "postgres://me:o'brien$1@host/db?a=1&b=2", TemporalAddress: "127.0.0.1:7233",
		TemporalNamespace: "default", ServiceURL: "http://127.0.0.1:3011",
	}
	if err := devenv.Write(root, want); err != nil {
		t.Fatal(err)
	}
	got, err := devenv.Read(root)
	if err != nil || got != want {
		t.Errorf("read %+v, %v; want %+v", got, err, want)
	}
	shell, err := exec.CommandContext(t.Context(), "sh", "-c", `. "$1"; sh -c 'printf %s "$DATABASE_URL"'`, "sh", filepath.Join(root, ".local", "dev.env")).Output()
	if err != nil || string(shell) != want.DatabaseURL {
		t.Errorf("a shell reads %q, %v; want %q", shell, err, want.DatabaseURL)
	}
	if err := errors.Join(devenv.Remove(root), devenv.Remove(root)); err != nil {
		t.Error(err)
	}
	if _, err := devenv.Read(root); !errors.Is(err, devenv.ErrNotRunning) {
		t.Errorf("after: %v", err)
	}
}
