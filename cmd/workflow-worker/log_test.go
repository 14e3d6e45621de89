package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
)

// hostileWorkflow is code whose code wants its lines to look like the service's.
const hostileWorkflow = `import { log, proxyActivities, sleep } from '@temporalio/workflow';
const { says, logMessage } = proxyActivities<any>({ startToCloseTimeout: '1m', retry: { maximumAttempts: 1 } });
const forged = { time: 'forged', level: 'forged', msg: 'forged', project_id: 'forged', workflow: 'forged', run_id: 'forged', code: 'forged',
  origin: 'forged', data: { level: 'forged' }, 'a.b': 'forged', '': 'forged', 'x\nlevel=forged': 'forged', NaN: NaN, big: 'b'.repeat(100000), ok: 7,
  WorkflowID: 'forged', error: new Error('forged') };
export async function says_it() {
  log.info('hostile\nlevel=ERROR project_id=forged\u2028{"level":"forged"}', forged);
  log.warn('hostile small', { level: 'forged', project_id: 'forged', n: 7 });
  console.log('hostile %s', 'level=forged', forged);
  log.info('hostile ' + 'm'.repeat(100000));
  await logMessage({ level: 'info', message: 'hostile\nlevel=forged', data: { level: 'forged', data: 'forged' } });
  await logMessage({ level: 'info', message: 'hostile', data: 'd'.repeat(50000) });
  return says(forged);
}`

const hostileActivity = `import { log, Context } from '@temporalio/activity';
export async function says(forged: any) {
  log.info('hostile\nlevel=forged', forged);
  Context.current().log.warn('hostile', { level: 'forged', project_id: 'forged' });
  const circle: any = { level: 'forged' }; circle.circle = circle;
  log.error('hostile circle', circle);
  console.error('hostile\nlevel=forged', forged);
  return 1;
}`

// keysOf reads the keys of a line in their order: a decoder would hide those that come twice.
func keysOf(line string) (keys []string, err error) {
	d := json.NewDecoder(strings.NewReader(line))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, fmt.Sprint(k))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func TestWhatAuthorsLogIsNestedAndOursAppearsOnce(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			db := stacktest.MigratedDatabase(t)
			s := startService(t, db, "LOG_FORMAT="+format, "LOG_LEVEL=debug")
			p := newBuilder(t, db).project()
			p.component("says", hostileActivity)
			p.workflow("says_it", hostileWorkflow)
			p.workflow("fails", `export async function fails() { throw new Error('stuck\nlevel=forged project_id=forged'); }`)
			p.running(nil)
			if got := run[int](p, "says_it"); got != 1 {
				t.Errorf("%d", got)
			}
			p.start("fails")
			p.failing("fails", 1)
			hostile := 0
			for line := range strings.Lines(s.output()) {
				line = strings.TrimSuffix(line, "\n")
				theirs := strings.Contains(line, "hostile")
				if theirs {
					hostile++
				}
				if len(line) > 16<<10 {
					t.Errorf("a line of %d bytes", len(line))
				}
				if format == "text" {
					if !strings.HasPrefix(line, "time=") {
						t.Errorf("a line begins otherwise: %.200s", line)
					}
					for _, k := range []string{"time=", "level=", "msg=", "project_id="} {
						if n := strings.Count(outsideQuotes(line), k); n > 1 {
							t.Errorf("%d times %s in %.400s", n, k, line)
						}
					}
					continue
				}
				keys, err := keysOf(line)
				if err != nil {
					t.Errorf("no JSON: %v: %.200s", err, line)
					continue
				}
				seen := map[string]int{}
				for _, k := range keys {
					if seen[k]++; seen[k] == 2 {
						t.Errorf("%q comes twice in %.400s", k, line)
					}
				}
				if !theirs {
					continue
				}
				var read map[string]any
				if err := json.Unmarshal([]byte(line), &read); err != nil {
					t.Fatal(err)
				}
				for _, k := range []string{"time", "level", "project_id", "workflow", "run_id", "origin", "workflow_id"} {
					if v, _ := read[k].(string); v == "" || strings.Contains(v, "forged") {
						t.Errorf("%s is %v in %.400s", k, read[k], line)
					}
				}
				if read["project_id"] != p.id {
					t.Errorf("project_id is %v in %.400s", read["project_id"], line)
				}
				for k := range read {
					switch k {
					case "time", "level", "msg", "project_id", "workflow", "workflow_id", "run_id", "code", "origin", "data", "activity", "activity_id", "attempt":
					default:
						t.Errorf("%q is a key of %.400s", k, line)
					}
				}
				if read["msg"] == "hostile small" {
					if data, _ := read["data"].(map[string]any); data["n"] != 7.0 || data["level"] != "forged" {
						t.Errorf("data is %v", read["data"])
					}
				}
			}
			if hostile != 10 {
				t.Errorf("%d lines", hostile)
			}
		})
	}
}

// outsideQuotes leaves out what is quoted.
func outsideQuotes(line string) string {
	var b strings.Builder
	quoted, escaped := false, false
	for _, c := range line {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted:
			b.WriteRune(c)
		}
	}
	return b.String()
}
