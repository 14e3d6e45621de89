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

// computing is what workflows compute between activities, in the language that Node runs as it is.
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
`

// glueResult is what it returns.
const glueResult = "796956,1009,row 0,5000"

// reshaping is what an activity does with a megabyte: JSON is parsed and reshaped, hashed and
// written as CSV, in the language that Node runs as it is, but for the import.
const reshaping = `
function reshape() {
  const orders = Array.from({ length: 9000 }, (_, i) => ({ id: i, customer: 'customer ' + (i % 97), city: 'Zürich', tags: ['a', 'b'], lines: [{ sku: 's' + i, amount: i / 2 }] }));
  const text = JSON.stringify(orders);
  const totals = JSON.parse(text).map(({ lines, ...rest }) => ({ ...rest, total: lines.reduce((sum, l) => sum + l.amount, 0) }));
  const sum = createHash('sha256').update(JSON.stringify(totals)).digest('hex');
  const rows = ['id,customer,city,total'];
  for (let i = 0; i < 20000; i++) {
    const t = totals[i % totals.length];
    rows.push([t.id, t.customer, t.city, t.total].map((v) => (/[",\n]/.test(String(v)) ? '"' + String(v).replace(/"/g, '""') + '"' : v)).join(','));
  }
  return [text.length, sum.slice(0, 8), Buffer.from(rows.join('\n')).toString('base64').length].join();
}
`

// reshapeResult is what it returns.
const reshapeResult = "993631,0ad3164d,810616"

const reshapeComponent = "// @ts-nocheck\nimport { createHash } from 'node:crypto';\n" + reshaping + `
export async function reshaped(): Promise<string> { return reshape(); }
`

const glueWorkflow = "import { proxyActivities } from '@temporalio/workflow';\n" + computing + `
const activities = proxyActivities({ startToCloseTimeout: '5 minutes' });
export async function reshapes(): Promise<string> { return activities.reshaped(); }
export default async function versionOf(): Promise<string> { return 'computing'; }
export async function noop(): Promise<string> { return 'ok'; }
export async function glued(): Promise<string> { return glue(); }
`

// nodeProgram prints the milliseconds of CPU that each of so many calls of a function takes, once V8
// has compiled what is hot.
func nodeProgram(text, function string, runs int) string {
	return "const { createHash } = require('node:crypto');\n" + text + fmt.Sprintf(`
for (let i = 0; i < 10; i++) %[1]s();
const before = process.cpuUsage();
for (let i = 0; i < %[2]d; i++) %[1]s();
const { user, system } = process.cpuUsage(before);
console.log(%[1]s(), (user + system) / 1000 / %[2]d);
`, function, runs)
}

// measureComputing measures code that computes, beside Node where that is installed. What a
// workflow costs without it is taken off.
func (b *bench) measureComputing(ctx context.Context) error {
	glueOnNode, err := onNode(ctx, nodeProgram(computing, "glue", 40), glueResult)
	if err != nil {
		return err
	}
	reshapeOnNode, err := onNode(ctx, nodeProgram(reshaping, "reshape", 20), reshapeResult)
	if err != nil {
		return err
	}
	return b.withService(ctx, func(s *service, r *rows) error {
		added, _, err := r.add(ctx, 1, glueWorkflow)
		if err != nil {
			return err
		}
		if err := r.addComponent(ctx, added[0], "reshaped", reshapeComponent); err != nil {
			return err
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
		reshaped, err := each("reshapes", reshapeResult, 20)
		if err != nil {
			return err
		}
		b.report.add("computing in a workflow (native here: Node)", "ms", yardstick{goal: "3 × Node", limit: 3 * glueOnNode}, glueOnNode, glued-noop)
		b.report.add("reshaping a megabyte in an activity (native here: Node)", "ms", yardstick{goal: "3 × Node", limit: 3 * reshapeOnNode}, reshapeOnNode, reshaped-noop)
		return b.failedTasks(ctx, s, "part computing")
	})
}

// onNode gives what the same takes on Node, in milliseconds; NaN where there is none.
func onNode(ctx context.Context, program, result string) (float64, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return math.NaN(), nil // the other column is worth having
	}
	dir, err := os.MkdirTemp("", "workflow-worker-bench-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "computing.cjs")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, node, file)
	cmd.Env = []string{}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	said, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("node: %w: %s", err, complaint.String())
	}
	took, found := strings.CutPrefix(strings.TrimSpace(string(said)), result+" ")
	if !found {
		return 0, fmt.Errorf("node says %q", said)
	}
	return strconv.ParseFloat(took, 64)
}
