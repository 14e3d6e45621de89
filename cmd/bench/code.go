package main

import "fmt"

// The names of the workflows, the same in TypeScript and in Go.
const (
	wfVersion = "versionOf" // says which code it runs
	wfNoop    = "noop"
	wfOne     = "oneActivity"
	wfFive    = "fiveActivities"
	wfFanOut  = "fanOut"
	wfSignal  = "signalConditionTimer"
	wfSlow    = "slowActivity" // of slowFor

	sigGo = "go"
)

// echoComponent is the custom activity of every project.
const echoComponent = `export async function echo(input: { n: number; wait?: number }): Promise<number> {
  if (input.wait) {
    await new Promise((resolve) => setTimeout(resolve, input.wait));
  }
  return input.n;
}
`

// versionCode is a workflow row as a person might have it: some lines beside the
// one that says which text this is.
func versionCode(version string) string {
	return fmt.Sprintf(`import { proxyActivities, sleep, defineQuery, setHandler, log } from '@temporalio/workflow';

const { echo } = proxyActivities<{ echo(input: { n: number }): Promise<number> }>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

export interface Order {
  id: string;
  lines: { sku: string; quantity: number }[];
}

export const progress = defineQuery<string>('progress');

export async function versionOf(order?: Order): Promise<string> {
  let state = 'started';
  setHandler(progress, () => state);
  if (order && order.lines.length > 0) {
    state = 'counting';
    for (const line of order.lines) {
      const n = await echo({ n: line.quantity });
      if (n < 0) {
        log.warn('a negative quantity', { sku: line.sku });
        await sleep('1 second');
      }
    }
  }
  state = 'done';
  return %q;
}
`, version)
}

// cpuCode has the workflows of part cpu.
const cpuCode = `import { proxyActivities, sleep, condition, defineSignal, setHandler } from '@temporalio/workflow';

const { echo } = proxyActivities<{ echo(input: { n: number; wait?: number }): Promise<number> }>({ startToCloseTimeout: '1 minute' });

export const go = defineSignal<[string]>('go');

export default async function versionOf(): Promise<string> {
  return 'cpu';
}

export async function noop(): Promise<string> {
  return 'ok';
}

export async function oneActivity(): Promise<string> {
  return String(await echo({ n: 1 }));
}

export async function slowActivity(): Promise<string> {
  return String(await echo({ n: 1, wait: 2000 }));
}

export async function fiveActivities(): Promise<string> {
  let sum = 0;
  for (let n = 1; n <= 5; n++) {
    sum += await echo({ n });
  }
  return String(sum);
}

export async function fanOut(): Promise<string> {
  const all = await Promise.all(Array.from({ length: 50 }, (_, n) => echo({ n })));
  return String(all.reduce((a, b) => a + b, 0));
}

export async function signalConditionTimer(): Promise<string> {
  let word = '';
  setHandler(go, (w) => {
    word = w;
  });
  await condition(() => word !== '');
  await sleep(10);
  return word;
}
`
