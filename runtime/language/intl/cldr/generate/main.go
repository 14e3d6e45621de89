// Command generate picks from Unicode's locale data, and from Go's copy of the time zones, what
// runtime/language/intl needs: a part of `make bundle`.
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"workflow-worker/runtime/bundle/npm"
)

func main() {
	dir := flag.String("dir", ".", "the folder of package.json")
	zones := flag.String("zoneinfo", "", "the folder of Go's zoneinfo.zip; lib/time of the Go that `go env` tells if empty")
	flag.Parse()
	if err := run(*dir, *zones); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1) //nolint:forbidigo // a program of its own, for go generate
	}
}

func run(dir, zones string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := npm.Install(context.Background(), dir); err != nil {
		return err
	}
	files, err := pick(filepath.Join(dir, "node_modules"))
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "dist", "cldr.zip"), files); err != nil {
		return err
	}
	if err := tellPackages(dir); err != nil {
		return err
	}
	return copyZones(zones, filepath.Join(dir, "dist"))
}

// tellPackages tells of all that package.json asks for: each is there for its data.
func tellPackages(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return err
	}
	var about struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &about); err != nil {
		return fmt.Errorf("read %s: %w", filepath.Join(dir, "package.json"), err)
	}
	var folders []string
	for name := range about.Dependencies {
		folders = append(folders, filepath.Join(dir, "node_modules", name))
	}
	return npm.Write(filepath.Join(dir, "dist", npm.File), folders)
}

// write makes an archive whose bytes depend on the files alone.
func write(path string, files []file) error {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, f := range files {
		w, err := archive.Create(f.name)
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte(f.text)); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %d locales, %d KB\n", path, len(files)-1, out.Len()>>10)
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// copyZones takes the zones from beside the Go that builds the service, as time/tzdata would; the
// standard library gives nobody a zone from there while the machine has zones of its own.
func copyZones(from, to string) error {
	if from == "" {
		root, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			return fmt.Errorf("go env GOROOT: %w", err)
		}
		from = filepath.Join(strings.TrimSpace(string(root)), "lib", "time")
	}
	zones, err := os.ReadFile(filepath.Join(from, "zoneinfo.zip"))
	if err != nil {
		return fmt.Errorf("read Go's time zones: %w", err)
	}
	// The script that made them names the release.
	script, err := os.ReadFile(filepath.Join(from, "update.bash"))
	if err != nil {
		return fmt.Errorf("read the release of Go's time zones: %w", err)
	}
	release := ""
	for line := range strings.Lines(string(script)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "DATA="); ok {
			release = v
		}
	}
	if release == "" {
		return fmt.Errorf("%s names no release", filepath.Join(from, "update.bash"))
	}
	if err := os.WriteFile(filepath.Join(to, "zoneinfo.version"), []byte(release), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "zoneinfo.zip"), zones, 0o644)
}
