package workflow

import "testing"

func TestSmoke(t *testing.T) {
	p := newProject(t, `
export async function hello(name: string): Promise<string> { await sleep(5); return 'hello ' + name; }
export async function boom(): Promise<void> { throw new ApplicationFailure('x', 'T') }
`)
	if got := p.run("hello", "you"); got != `"hello you"` {
		t.Errorf("result %s", got)
	}
	_, err := p.outcome(p.start("boom"))
	t.Log(err)
}
