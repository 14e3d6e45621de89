// Package npm is what the programs that generate from npm packages share: it installs what a lock
// file names, and says which packages went into what was made. It imports nothing of ours.
package npm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Install runs npm ci in the folder of package.json, unless node_modules is of this very lock file.
func Install(dir string) error {
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	want := []byte(hex.EncodeToString(sum[:]))
	stamp := filepath.Join(dir, "node_modules", ".installed-lock")
	if have, err := os.ReadFile(stamp); err == nil && bytes.Equal(have, want) {
		return nil
	}
	npm := exec.Command("npm", "ci")
	npm.Dir, npm.Stdout, npm.Stderr = dir, os.Stderr, os.Stderr
	if err := npm.Run(); err != nil {
		return fmt.Errorf("npm ci in %s: %w", dir, err)
	}
	return os.WriteFile(stamp, want, 0o644)
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
