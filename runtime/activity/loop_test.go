package activity

import (
	"strings"
	"testing"
)

func TestEventLoopRunsThingsInOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"microtasks before timers": {`
			const log: string[] = [];
			setTimeout(() => log.push('timeout'), 0);
			setImmediate(() => log.push('immediate'));
			queueMicrotask(() => log.push('micro'));
			process.nextTick(() => log.push('tick'));
			Promise.resolve().then(() => log.push('promise'));
			log.push('sync');
			await new Promise((r) => setTimeout(r, 20));
			// Which of the last two comes first depends on whether a millisecond has passed, as on Node.
			return [...log.slice(0, 4), ...log.slice(4).sort()]`, `["sync","tick","micro","promise","immediate","timeout"]`},
		"timers by time, then age": {`
			const log: number[] = [];
			for (const ms of [600, 10, 300, 10]) setTimeout((m) => log.push(m), ms, ms + log.length);
			setTimeout(() => log.push(0), 10);
			await new Promise((r) => setTimeout(r, 900));
			return log`, `[10,10,0,300,600]`},
		"cleared timers never fire": {`
			let fired = 0;
			const t = setTimeout(() => fired++, 1), n = +setTimeout(() => fired++, 1), i = setImmediate(() => fired++);
			clearTimeout(t); clearTimeout(n); clearImmediate(i); clearTimeout(undefined); clearTimeout(99999);
			await new Promise((r) => setTimeout(r, 10));
			return fired`, `0`},
		"an interval repeats until cleared": {`
			let n = 0;
			await new Promise<void>((r) => { const i = setInterval(() => { if (++n === 5) { clearInterval(i); r(); } }, 1); });
			await new Promise((r) => setTimeout(r, 10));
			return n`, `5`},
		"handles are Node's": {`
			const t = setTimeout(() => {}, 1000);
			return [t.unref() === t, t.ref() === t, t.hasRef(), typeof +t, t.refresh() === t, t.close() === t]`, `[true,true,true,"number",true,true]`},
		"what is no function": {`
			const out = [];
			for (const f of [setTimeout, setInterval, setImmediate, queueMicrotask]) { try { f('x' as any) } catch (e: any) { out.push(e.name) } }
			return out`, `["TypeError","TypeError","TypeError","TypeError"]`},
		"asynchronous context follows": {`
			const als = new (globalThis as any).AsyncLocalStorage();
			return await als.run('ctx', async () => {
				const out = [als.getStore()];
				await new Promise((r) => setTimeout(r, 1)); out.push(als.getStore());
				await new Promise<void>((r) => setImmediate(() => { out.push(als.getStore()); r() }));
				await new Promise<void>((r) => queueMicrotask(() => { out.push(als.getStore()); r() }));
				return out })`, `["ctx","ctx","ctx","ctx"]`},
		"the result doesn't wait for what is left": {`
			setInterval(() => {}, 1); setTimeout(() => {}, 1e9); new Promise(() => {});
			return 'done'`, `"done"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := evaluate(t, CodeOptions{}, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestPromiseThatNothingCanSettleFailsInsteadOfHanging(t *testing.T) {
	t.Parallel()
	_, err := evaluate(t, CodeOptions{}, `await new Promise(() => {})`)
	wantApplication(t, err, StalledType, false)
}

func TestTooManyTimersAreRefused(t *testing.T) {
	t.Parallel()
	_, err := evaluate(t, CodeOptions{MaxTimers: 10}, `for (;;) setTimeout(() => {}, 1000)`)
	app := wantApplication(t, err, "RangeError", false)
	if !strings.Contains(app.Message(), "10 timers") {
		t.Errorf("the message doesn't name the limit: %s", app.Message())
	}
}

func TestConsoleGoesToTheLog(t *testing.T) {
	t.Parallel()
	var r recorder
	_, err := evaluate(t, CodeOptions{Logger: r.logger().With("project_id", "p-1")}, `
		console.log('paid %s for %d', 'Ann', 12.5, {a: [1, 'x']}, null, undefined);
		console.debug('d'); console.info('i'); console.warn('w'); console.error(new RangeError('far').message);
		console.group('g'); console.log('in'); console.groupEnd(); console.log('out');
		console.assert(1 > 2, 'sums'); console.count(); console.count();`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range r.lines(t) {
		level, _ := l["level"].(string)
		msg, _ := l["msg"].(string)
		got = append(got, level+" "+msg)
		if l["project_id"] != "p-1" || l["module"] != "charge-card.ts" {
			t.Errorf("the line lacks attributes: %v", l)
		}
	}
	want := []string{"INFO paid Ann for 12.5 { a: [ 1, 'x' ] } null undefined", "DEBUG d", "INFO i", "WARN w", "ERROR far",
		"INFO g", "INFO   in", "INFO out", "ERROR Assertion failed: sums", "INFO default: 1", "INFO default: 2"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLogLinesBeyondTheLimitAreCounted(t *testing.T) {
	t.Parallel()
	var r recorder
	if _, err := evaluate(t, CodeOptions{Logger: r.logger(), MaxLogLines: 3}, `for (let i = 0; i < 10; i++) console.log(i)`); err != nil {
		t.Fatal(err)
	}
	lines := r.lines(t)
	if len(lines) != 4 || lines[3]["dropped"] != 7.0 {
		t.Errorf("got %v", lines)
	}
}

func TestUnhandledRejectionsAreLogged(t *testing.T) {
	t.Parallel()
	var r recorder
	_, err := evaluate(t, CodeOptions{Logger: r.logger()}, `
		Promise.reject(new Error('lost'));
		const late = Promise.reject(new Error('found')); late.catch(() => {});
		await new Promise((r) => setTimeout(r, 1));`)
	if err != nil {
		t.Fatal(err)
	}
	lines := r.lines(t)
	if len(lines) != 1 || lines[0]["level"] != "WARN" || !strings.Contains(lines[0]["msg"].(string), "Error: lost") {
		t.Errorf("got %v", lines)
	}
}
