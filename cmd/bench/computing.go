package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// computing are functions that compute for long, in the language that Node runs as it is: what
// workflows do between activities, and what an activity does with a file's content.
const computing = `
function glue() {
  let sum = 0;
  for (let i = 0; i < 200000; i++) sum = (sum * 31 + i) % 1000003;
  const words = [];
  for (let i = 0; i < 20000; i++) words.push(('w' + (i * 7919) % 1009).toUpperCase());
  const counts = new Map();
  for (const w of words.join(' ').split(' ')) counts.set(w, (counts.get(w) ?? 0) + 1);
  const rows = Array.from({ length: 5000 }, (_, i) => ({ id: i, key: (i * 48271) % 65521, name: 'row ' + i }));
  rows.sort((a, b) => a.key - b.key || a.id - b.id);
  const back = JSON.parse(JSON.stringify(rows));
  return [sum, counts.size, back[0].name, back.length].join();
}
function reshape(hash) {
  const text = JSON.stringify(Array.from({ length: 10000 }, (_, i) => ({ id: i, name: 'customer ' + i, tags: ['a', 'b' + i % 7], total: i * 1.25, open: i % 3 === 0 })));
  const byTag = {};
  for (const { id, tags, total } of JSON.parse(text)) (byTag[tags[1]] ??= []).push({ id, total: Math.round(total) });
  const shaped = JSON.stringify(byTag);
  let csv = 'id,name,total\n';
  for (let i = 0; i < 20000; i++) csv += i + ',"name ' + i + '",' + (i * 1.5).toFixed(2) + '\n';
  return [text.length, hash(shaped), csv.length].join();
}
`

// What they return.
const (
	glueResult    = "796956,1009,row 0,5000"
	reshapeResult = "805559,147cc5be,530386"
)

const glueWorkflow = `import { proxyActivities } from '@temporalio/workflow';
const { reshaped } = proxyActivities<any>({ startToCloseTimeout: '1 minute' });
` + computing + `
export default async function versionOf(): Promise<string> { return 'computing'; }
export async function noop(): Promise<string> { return 'ok'; }
export async function glued(): Promise<string> { return glue(); }
export async function oneActivity(): Promise<string> { return await reshaped(); }
`

const reshapeComponent = `import { createHash } from 'node:crypto';
` + computing + `
export async function reshaped(input?: { plain: boolean }): Promise<string> {
  return reshape((text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8));
}
`

// nodeProgram prints the milliseconds of CPU that each of so many calls takes, once V8 has compiled
// what is hot.
const nodeProgram = `const { createHash } = require('node:crypto');
` + computing + `
const hash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 8);
const measure = (f, runs) => {
  for (let i = 0; i < 10; i++) f();
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) f();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / runs;
};
console.log(glue(), reshape(hash), measure(glue, 40), measure(() => reshape(hash), 40));
`

// measureComputing measures code that computes, beside Node where that is installed. What a
// workflow and an activity cost without it is taken off.
func (b *bench) measureComputing(ctx context.Context) error {
	glueNode, reshapeNode, err := onNode(ctx)
	if err != nil {
		return err
	}
	return b.withService(ctx, func(s *service, r *rows) error {
		added, _, err := r.add(ctx, 1, glueWorkflow)
		if err != nil {
			return err
		}
		if _, err := r.pool.Exec(ctx, `INSERT INTO components (project_id, name, implementation_language, implementation_code) VALUES ($1, 'reshaped', 'typescript', $2)`,
			added[0].id, reshapeComponent); err != nil {
			return fmt.Errorf("insert the component: %w", err)
		}
		if _, err := r.waitRunning(ctx, 1); err != nil {
			return err
		}
		each := func(workflow, result string, runs int) (float64, error) {
			return b.cpuPerWorkflow(ctx, cpuCase{workflow: workflow, result: result, runs: runs}, s.PID(), added[0].taskQueue, "the service")
		}
		noop, err := each(wfNoop, "ok", 100)
		if err != nil {
			return err
		}
		glued, err := each("glued", glueResult, 40)
		if err != nil {
			return err
		}
		reshaped, err := each(wfOne, reshapeResult, 40)
		if err != nil {
			return err
		}
		b.report.add("computing in a workflow (second column here: Node)", "ms", yardstick{goal: "3 × Node"}, glueNode, glued-noop)
		b.report.add("computing in an activity (second column here: Node)", "ms", yardstick{goal: "3 × Node"}, reshapeNode, reshaped-noop)
		return b.failedTasks(ctx, s, "part computing")
	})
}

// onNode runs the same on Node; NaN where there is none.
func onNode(ctx context.Context) (glue, reshape float64, err error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return math.NaN(), math.NaN(), nil // the other column is worth having
	}
	dir, err := os.MkdirTemp("", "workflow-worker-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "computing.cjs")
	if err := os.WriteFile(file, []byte(nodeProgram), 0o600); err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, node, file)
	cmd.Env = []string{}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	said, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("node: %w: %s", err, complaint.String())
	}
	return readNode(string(said))
}

func readNode(said string) (glue, reshape float64, err error) {
	rest, found := strings.CutPrefix(said, glueResult+" "+reshapeResult+" ")
	fields := strings.Fields(rest)
	if !found || len(fields) != 2 {
		return 0, 0, fmt.Errorf("node says %q", said)
	}
	if glue, err = strconv.ParseFloat(fields[0], 64); err != nil {
		return 0, 0, err
	}
	reshape, err = strconv.ParseFloat(fields[1], 64)
	return glue, reshape, err
}
