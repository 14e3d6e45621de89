package workflow

import (
	"strings"
	"testing"
)

func TestLogsGoToSlogOnceWithTheirIds(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  setHandler(defineQuery('q'), () => { console.log('asked'); return 1; });
  log.info('first step', { order: 7, deep: { a: [1] } });
  console.log('to the console %s', 'formatted', { a: 1 });
  await sleep(1);
  log.warn('second step');
  wf.proxySinks<any>().nobody.hears('this');
  wf.metricMeter.createCounter('count').add(1);
}`)
	run := p.start("run")
	p.result(run)
	if err := p.replay(run, p.history(run)); err != nil {
		t.Error(err)
	}
	p.query(run, "q")
	lines := strings.Join(p.seen.logged(), "")
	for _, want := range []string{
		`level=INFO msg="first step" project_id=p1 workflow=run workflow_id=` + run.GetID() + ` run_id=` + run.GetRunID() + ` code=`,
		`order=7 deep="{ a: [ 1 ] }"`, `level=INFO msg="to the console formatted { a: 1 }"`, `level=WARN msg="second step"`, `msg=asked`,
	} {
		if n := strings.Count(lines, want); n != 1 {
			t.Errorf("%d times %s in\n%s", n, want, lines)
		}
	}
}
