// Package npm is what the programs that generate from npm packages share: it installs what a lock
// file names, and says which packages went into what was made. It imports nothing of ours.
package npm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Install makes node_modules in the folder of package.json what the lock file says, unless it is
// that. The archives are fetched and checked here; npm ci does it where that takes npm.
func Install(ctx context.Context, dir string) error {
	lock, stamp, installed, err := look(dir)
	if err != nil || installed {
		return err
	}
	at, err := registry(dir, os.Environ())
	if err == nil {
		err = newFetcher().fetch(ctx, dir, lock, at)
	}
	var needs *needsNpm
	if errors.As(err, &needs) {
		err = byNpm(ctx, dir, needs)
	}
	if err != nil {
		return fmt.Errorf("install the npm packages of %s: %w", dir, err)
	}
	return os.WriteFile(filepath.Join(dir, stampFile), stamp, 0o644)
}

// stampFile says of which lock file node_modules is.
const stampFile = "node_modules/.installed-lock"

// look reads the lock file, and whether node_modules is of it.
func look(dir string) (lock, stamp []byte, installed bool, err error) {
	lock, err = os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return nil, nil, false, err
	}
	sum := sha256.Sum256(lock)
	stamp = []byte(hex.EncodeToString(sum[:]))
	have, err := os.ReadFile(filepath.Join(dir, stampFile))
	return lock, stamp, err == nil && bytes.Equal(have, stamp), nil
}

// byNpm has npm do it.
func byNpm(ctx context.Context, dir string, why *needsNpm) error {
	npm := exec.CommandContext(ctx, "npm", "ci")
	npm.Dir, npm.Stdout, npm.Stderr = dir, os.Stderr, os.Stderr
	err := npm.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w: install npm, or set npm_config_registry to the URL of the registry", why)
	}
	if err != nil {
		return fmt.Errorf("npm ci: %w", err)
	}
	return nil
}

// NeedsNpm tells whether Install would have npm do it, as far as that can be told before.
func NeedsNpm(dir string) (bool, error) {
	lock, _, installed, err := look(dir)
	if err != nil || installed {
		return false, err
	}
	at, err := registry(dir, os.Environ())
	if err == nil {
		_, err = readLock(lock, at)
	}
	var needs *needsNpm
	if errors.As(err, &needs) {
		return true, nil
	}
	return false, err
}

// Package is one whose text is in what was made.
type Package struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Licence string   `json:"licence"` // as package.json names it
	Notices []string `json:"notices"` // what the package asks to be handed on
}

// File is where Write writes, in the folder of what was made.
const File = "packages.json"

// Notice is what files that have to be handed on are called.
var Notice = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice)([-._].*)?$`)

// Write tells of packages, in folders of node_modules, in the order of their names.
func Write(path string, folders []string) error {
	var list []Package
	for _, dir := range folders {
		p, err := describe(dir)
		if err != nil {
			return err
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Package) int { return strings.Compare(a.Name+" "+a.Version, b.Name+" "+b.Version) })
	text, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func describe(dir string) (p Package, err error) {
	about, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return p, err
	}
	var read struct{ Name, Version, License string }
	if err := json.Unmarshal(about, &read); err != nil {
		return p, fmt.Errorf("read %s: %w", filepath.Join(dir, "package.json"), err)
	}
	p = Package{Name: read.Name, Version: read.Version, Licence: read.License}
	p.Notices, err = Notices(dir)
	if err == nil && len(p.Notices) == 0 {
		err = fmt.Errorf("the npm package %s has no licence file", p.Name)
	}
	return p, err
}

// Notices are the texts in a folder, not those below it, that have to be handed on.
func Notices(dir string) (texts []string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !f.Type().IsRegular() || !Notice.MatchString(f.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(string(text), "\r\n", "\n"), "\ufffd")))
	}
	return texts, nil
}
