package docker_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// image is what a Dockerfile makes: a file system, and how to run it.
type image struct {
	base        string
	root        string // its file system, a folder here
	user        string
	entrypoint  []string
	healthcheck []string
	labels      string

	// runs are the commands that made the stage, in the folder that they ran in, and environment.
	runs    []string
	workdir string
	env     []string
	// stages are the others, by name.
	stages map[string]*image
}

// dockerfile runs a Dockerfile's steps in folders, with this machine's programs in
// place of the base images'. It knows only what ours uses, and fails on the rest.
type dockerfile struct {
	testing.TB
	context string // the build context
	stages  map[string]*image
	current *image
	workdir string
	env     []string
	args    map[string]string // in place of ARG's defaults
}

// build runs the file and returns the last stage.
func build(t testing.TB, context, file string, args map[string]string) *image {
	t.Helper()
	d := &dockerfile{TB: t, context: context, stages: map[string]*image{}, args: args}
	for _, line := range instructions(t, file) {
		name, rest, _ := strings.Cut(line, " ")
		d.do(name, strings.TrimSpace(rest))
	}
	d.current.stages = d.stages
	return d.current
}

// instructions joins continued lines and leaves comments out.
func instructions(t testing.TB, file string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := ""
	for part := range strings.Lines(string(text)) {
		part = strings.TrimSpace(part)
		if part == "" || strings.HasPrefix(part, "#") {
			continue
		}
		before, more := strings.CutSuffix(part, `\`)
		line += before
		if !more {
			all = append(all, line)
			line = ""
		}
	}
	return all
}

func (d *dockerfile) do(name, rest string) {
	d.Helper()
	switch name {
	case "FROM":
		words := strings.Fields(regexp.MustCompile(`^--platform=\S+ `).ReplaceAllString(rest, ""))
		d.current = &image{base: words[0], root: filepath.Join(d.TempDir(), "root")}
		d.workdir, d.env = "/", nil
		if err := os.Mkdir(d.current.root, 0o755); err != nil {
			d.Fatal(err)
		}
		if len(words) == 3 && words[1] == "AS" {
			d.stages[words[2]] = d.current
		}
	case "ARG":
		name, value, _ := strings.Cut(rest, "=") // without a default: this machine's platform
		if given, ok := d.args[name]; ok {
			value = given
		}
		d.env = append(d.env, name+"="+value)
	case "WORKDIR":
		d.workdir = rest
		if err := os.MkdirAll(d.path(""), 0o755); err != nil {
			d.Fatal(err)
		}
	case "COPY":
		d.copy(strings.Fields(rest))
	case "RUN":
		d.run(regexp.MustCompile(`^(--mount=\S+ )+`).ReplaceAllString(rest, ""))
	case "USER":
		d.current.user = rest
	case "ENTRYPOINT":
		d.current.entrypoint = d.list(rest)
	case "HEALTHCHECK":
		_, command, _ := strings.Cut(rest, "CMD ")
		d.current.healthcheck = d.list(command)
	case "LABEL":
		d.current.labels += rest + " "
	case "EXPOSE":
	default:
		d.Fatalf("%s %s: not known here", name, rest)
	}
}

func (d *dockerfile) list(text string) (list []string) {
	d.Helper()
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		d.Fatalf("%s: a command without a shell is a JSON list: %v", text, err)
	}
	return list
}

// path is where a path of the current stage lies here.
func (d *dockerfile) path(name string) string {
	if !path.IsAbs(name) {
		name = path.Join(d.workdir, name)
	}
	return filepath.Join(d.current.root, name)
}

func (d *dockerfile) run(command string) {
	d.Helper()
	d.current.runs, d.current.workdir, d.current.env = append(d.current.runs, command), d.workdir, d.env
	d.current.run(d, command)
}

func (i *image) run(t testing.TB, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", command)
	// Without its profile the service builds in a fraction of the time, and does the same.
	cmd.Dir, cmd.Env = filepath.Join(i.root, i.workdir), append(append(os.Environ(), "GOFLAGS=-pgo=off"), i.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("RUN %s\n%v\n%s", command, err, out)
	}
}

// again is a stage whose commands ran once more, in a copy of its files elsewhere.
func (i *image) again(t testing.TB) *image {
	t.Helper()
	other := *i
	other.root = filepath.Join(t.TempDir(), "another", "place")
	if err := copyTree(filepath.Join(i.root, i.workdir), filepath.Join(other.root, i.workdir), func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	for _, command := range other.runs {
		other.run(t, command)
	}
	return &other
}

func (d *dockerfile) copy(words []string) {
	d.Helper()
	source, ignored := d.context, dockerignore(d, d.context)
	if stage, found := strings.CutPrefix(words[0], "--from="); found {
		if d.stages[stage] == nil {
			d.Fatalf("COPY --from=%s: no such stage", stage)
		}
		source, words = d.stages[stage].root, words[1:]
		ignored = func(string) bool { return false }
	}
	target := words[len(words)-1]
	for _, name := range words[:len(words)-1] {
		from := filepath.Join(source, name)
		if _, err := os.Stat(from); err != nil && path.IsAbs(name) {
			from = name // of the base image: this machine stands in
		}
		to := d.path(target)
		if info, err := os.Stat(from); err != nil {
			d.Fatal(err)
		} else if !info.IsDir() && (strings.HasSuffix(target, "/") || len(words) > 2) {
			to = filepath.Join(to, filepath.Base(from))
		}
		if err := copyTree(from, to, func(file string) bool {
			relative, err := filepath.Rel(source, file)
			return err == nil && ignored(filepath.ToSlash(relative))
		}); err != nil {
			d.Fatalf("COPY %s: %v", name, err)
		}
	}
}

// copyTree copies a file, or what is in a folder.
func copyTree(from, to string, leaveOut func(string) bool) error {
	return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		switch {
		case leaveOut(file) && entry.IsDir():
			return fs.SkipDir
		case leaveOut(file) || !entry.IsDir() && !entry.Type().IsRegular():
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, relative), 0o755)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		place := filepath.Join(to, relative)
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
			return err
		}
		return os.WriteFile(place, text, info.Mode().Perm())
	})
}

// dockerignore returns what says whether a path of the context is left out. The last
// pattern that matches the path, or a folder above it, decides.
func dockerignore(t testing.TB, context string) func(string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(context, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	type pattern struct {
		*regexp.Regexp
		keep bool
	}
	var patterns []pattern
	for line := range strings.Lines(string(text)) {
		line, keep := strings.CutPrefix(strings.TrimSpace(line), "!")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		expression := strings.NewReplacer(`\*\*/`, `(.*/)?`, `\*`, `[^/]*`).Replace(regexp.QuoteMeta(line))
		patterns = append(patterns, pattern{regexp.MustCompile(fmt.Sprintf(`^%s(/.*)?$`, expression)), keep})
	}
	return func(name string) (ignored bool) {
		for _, p := range patterns {
			if p.MatchString(name) {
				ignored = !p.keep
			}
		}
		return ignored
	}
}
