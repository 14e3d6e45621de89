package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"workflow-worker/runtime/bundle/npm"
)

// service is the package whose contents are told.
const service = "./cmd/workflow-worker"

// made are the folders of what is generated from npm packages and embedded.
var made = []string{"runtime/bundle/dist", "runtime/language/intl/cldr/dist"}

// module is a Go module of which the service has packages.
type module struct {
	path, version string
	notices       []string
}

// silent are modules without a licence file, and where their licence is said.
var silent = map[string]string{
	"github.com/nexus-rpc/nexus-proto-annotations": "The module comes without a licence file. Its repository, https://github.com/nexus-rpc/nexus-proto-annotations, tells its terms.",
}

// goModules lists the modules in the service, as built for the platform that GOOS and GOARCH name,
// with Go itself first.
func goModules(ctx context.Context, root string) ([]module, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", `{{with .Module}}{{if not .Main}}{{.Path}}	{{.Version}}	{{.Dir}}	{{$.Dir}}{{end}}{{end}}`, service)
	list.Dir = root
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -deps %s: %w", service, err)
	}
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	version, at, _ := strings.Cut(strings.TrimSpace(string(goroot)), "\n")
	itself := module{path: "Go and its standard library", version: version}
	if itself.notices, err = npm.Notices(at); err != nil {
		return nil, err
	}
	folders := map[[2]string]map[string]bool{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 4 {
			continue
		}
		key := [2]string{f[0], f[1]}
		if folders[key] == nil {
			folders[key] = map[string]bool{}
		}
		// Parts of a module may have terms of their own, beside the package or above it.
		for dir := f[3]; strings.HasPrefix(dir, f[2]); dir = filepath.Dir(dir) {
			folders[key][dir] = true
		}
	}
	modules := []module{itself}
	for key, within := range folders {
		m := module{path: key[0], version: key[1]}
		for _, dir := range sorted(within) {
			texts, err := npm.Notices(dir)
			if err != nil {
				return nil, err
			}
			m.notices = append(m.notices, texts...)
		}
		if len(m.notices) == 0 {
			said, known := silent[m.path]
			if !known {
				return nil, fmt.Errorf("the Go module %s has no licence file", m.path)
			}
			m.notices = []string{said}
		}
		modules = append(modules, m)
	}
	slices.SortFunc(modules[1:], func(a, b module) int { return strings.Compare(a.path, b.path) })
	return modules, nil
}

func sorted(set map[string]bool) (list []string) {
	for x := range set {
		list = append(list, x)
	}
	slices.Sort(list)
	return list
}

// npmPackages reads what the generators wrote down of the packages that they used.
func npmPackages(root string) (all []npm.Package, err error) {
	for _, dir := range made {
		text, err := os.ReadFile(filepath.Join(root, dir, npm.File))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: run `make bundle`", err)
		}
		if err != nil {
			return nil, err
		}
		var list []npm.Package
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, npm.File), err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// notices is one text, the same for the same contents.
func notices(ours string, modules []module, packages []npm.Package) string {
	var b bytes.Buffer
	section := func(name string, texts []string) {
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), name, strings.Repeat("=", 80), strings.Join(texts, "\n\n"))
	}
	b.WriteString("What workflow-worker consists of, and the terms of each part.\n")
	section("workflow-worker", []string{strings.TrimSpace(ours)})
	for _, m := range modules {
		section(strings.TrimSpace(m.path+" "+m.version), m.notices)
	}
	for _, p := range packages {
		section(fmt.Sprintf("npm: %s %s (%s)", p.Name, p.Version, p.Licence), p.Notices)
	}
	return b.String()
}
