package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/google/uuid"

	"workflow-worker/docker/stack"
)

//go:embed node/worker.mjs
var nodeWorker []byte

// nodeVersion is of the official worker; its parts have the same.
const nodeVersion = "1.24.0"

// node is Temporal's own worker: the host that ours is compared with.
type node struct {
	dir    string // where its packages are
	runs   string // where the sources are written for it
	queues map[*group]string
	log    *lines

	mu      sync.Mutex // one command at a time; guards all below
	process *stack.Process
	in      io.WriteCloser
	answers chan string
}

// startNode installs the official worker where it isn't, and starts its process.
func startNode(ctx context.Context, address string, progress io.Writer) (*node, error) {
	root, err := stack.Root()
	if err != nil {
		return nil, err
	}
	n := &node{dir: filepath.Join(root, ".local", "conformance-node"), queues: map[*group]string{}, log: &lines{}, answers: make(chan string, 16)}
	if err := n.install(ctx, progress); err != nil {
		return nil, err
	}
	if n.runs, err = os.MkdirTemp(n.dir, "run-"); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "node", filepath.Join(n.dir, "worker.mjs"), address)
	cmd.Dir = n.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TZ=UTC", "NODE_ENV=production",
		"CONFORMANCE_NODE_LOG=" + os.Getenv("CONFORMANCE_NODE_LOG"),
		activityEnvironment + "=visible",
	}
	if n.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// Both outputs come here; answers are the lines that are JSON.
	answers := stack.Lines(func(line string) {
		if strings.HasPrefix(line, `{"ok"`) || strings.HasPrefix(line, `{"error"`) {
			select {
			case n.answers <- line:
			default: // nobody waits for so many
			}
		}
	})
	if n.process, err = stack.StartProcess(cmd, io.MultiWriter(n.log, answers)); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *node) install(ctx context.Context, progress io.Writer) error {
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(n.dir, "worker.mjs"), nodeWorker, 0o644); err != nil {
		return err
	}
	installed, err := os.ReadFile(filepath.Join(n.dir, "node_modules", "@temporalio", "worker", "package.json"))
	if err == nil && strings.Contains(string(installed), `"version": "`+nodeVersion+`"`) {
		return nil
	}
	dependencies := map[string]string{}
	for _, name := range []string{"activity", "client", "common", "worker", "workflow"} {
		dependencies["@temporalio/"+name] = nodeVersion
	}
	manifest, err := json.Marshal(map[string]any{"name": "conformance-node", "private": true, "dependencies": dependencies})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(n.dir, "package.json"), manifest, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(progress, "installing @temporalio/worker "+nodeVersion+" by npm, once")
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = n.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install in %s: %w: %s", n.dir, err, out)
	}
	return nil
}

// command asks the process for something and waits until it's done.
func (n *node) command(ctx context.Context, c map[string]string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := n.in.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("the official worker: %w\n%s", err, n.log)
	}
	select {
	case line := <-n.answers:
		var a struct{ Error string }
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Error != "" {
			return fmt.Errorf("the official worker: %s: %s", c["do"], a.Error)
		}
		return nil
	case <-n.process.Done():
		return fmt.Errorf("the official worker ended: %w\n%s", n.process.Err(), n.log)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// load writes a group's sources for the worker and has it bundle them.
func (n *node) load(ctx context.Context, g *group) error {
	dir := filepath.Join(n.runs, strings.TrimSuffix(g.file, ".yaml"))
	if err := os.MkdirAll(filepath.Join(dir, "activities"), 0o755); err != nil {
		return err
	}
	queue := "conformance-node-" + uuid.NewString()
	n.queues[g] = queue
	workflows := g.diffable().rowsOf(kindWorkflows)
	if g.Kind == kindActivities {
		workflows[callActivity] = callActivityText
	}
	if err := writeIndex(dir, "ts", workflows, func(text string) ([]byte, error) { return []byte(text), nil }); err != nil {
		return err
	}
	if err := writeIndex(filepath.Join(dir, "activities"), "js", g.diffable().rowsOf(kindActivities), toCommonJS); err != nil {
		return err
	}
	err := n.command(ctx, map[string]string{
		"do": "load", "queue": queue, "workflows": filepath.Join(dir, "index.js"), "activities": filepath.Join(dir, "activities", "index.js"),
	})
	if err != nil || g.Dormant {
		return err
	}
	return n.command(ctx, map[string]string{"do": "start", "queue": queue})
}

// diffable is the group without the cases that only rows can play.
func (g *group) diffable() *group {
	out := *g
	out.Cases = slices.DeleteFunc(slices.Clone(g.Cases), func(c *testCase) bool { return c.rowsOnly() != "" })
	return &out
}

// writeIndex writes the texts, and a module that exports what they export, and each under its row's
// name by the rules of rows. Getters, so that a module is evaluated only for its own types.
func writeIndex(dir, extension string, texts map[string]string, transform func(string) ([]byte, error)) error {
	const head = `const camel = (n) => n.replace(/-(\w)/g, (_, c) => c.toUpperCase());
function main(m, name) {
  const functions = Object.keys(m).filter((k) => typeof m[k] === 'function');
  const same = functions.filter((k) => k.toLowerCase().replace(/_/g, '') === name.toLowerCase().replace(/-/g, ''));
  return m.default ?? m[name] ?? m[camel(name)] ?? m[same[0] ?? functions[0]];
}
const add = (name, get) => Object.defineProperty(exports, name, { get, enumerable: true, configurable: true });
`
	var index strings.Builder
	index.WriteString(head)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		file := name + "." + extension
		text, err := transform(texts[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
			return err
		}
		for _, m := range exportedFunction.FindAllStringSubmatch(texts[name], -1) {
			fmt.Fprintf(&index, "add(%q, () => require(%q)[%[1]q]);\n", m[1], "./"+file)
		}
		fmt.Fprintf(&index, "add(%q, () => main(require(%q), %[1]q));\n", name, "./"+file)
	}
	return os.WriteFile(filepath.Join(dir, "index.js"), []byte(index.String()), 0o644)
}

// toCommonJS strips the types of an activity's text.
func toCommonJS(text string) ([]byte, error) {
	r := api.Transform(text, api.TransformOptions{Loader: api.LoaderTS, Format: api.FormatCommonJS, Platform: api.PlatformNode, Target: api.ES2022})
	if len(r.Errors) > 0 {
		return nil, errors.New(r.Errors[0].Text)
	}
	return r.Code, nil
}

func (n *node) taskQueue(g *group) string            { return n.queues[g] }
func (n *node) broken(*group, string, string) string { return "" }

// replay is ours to prove.
func (n *node) replay(context.Context, *group, *watch) error { return nil }

func (n *node) toggle(ctx context.Context, g *group, action string) error {
	return n.command(ctx, map[string]string{"do": action, "queue": n.queues[g]})
}

var errNoRows = errors.New("the official worker has no rows")

func (n *node) reload(context.Context, *group, string, string, string) error { return errNoRows }

func (n *node) row(context.Context, *group, string, string, func(map[string]any) error) error {
	return errNoRows
}

func (n *node) stop(ctx context.Context) error {
	// Not by closing its input: its workers would wait for activities that hang.
	n.process.Kill()
	<-n.process.Done()
	_ = n.in.Close()
	_ = ctx
	return os.RemoveAll(n.runs)
}
