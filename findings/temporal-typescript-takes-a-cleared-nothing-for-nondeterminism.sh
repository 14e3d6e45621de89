#!/usr/bin/env bash
# Temporal's TypeScript SDK 1.24.0 (worker, client, workflow) on Node 20 or newer, server 1.29.1 (its CLI's dev server, v1.5.1):
# clearTimeout in a workflow, of what is no timer.
#
# The behaviour: clearTimeout(undefined), as code has it that clears a timer which it may never have set, fails the workflow task
# with "Nondeterminism error: Missing associated machine for Timer(0)". There is nothing undetermined about it: each further task
# fails likewise, and the execution stays open. An id that was given out, but whose timer has fired, or was cleared before, is
# ignored, as in browsers and in Node.
#
# Guessed: it is ignored, like everywhere; or it throws where it is called.
# Surprising: a habit that is harmless in all other JavaScript is told as another kind of mistake, without the author's line.
#
# Seen on 2026-12-01:
#   cleared twice        completed
#   cleared after firing completed
#   cleared undefined    open, its task failed: [TMPRL1100] Nondeterminism error: Missing associated machine for Timer(0)
set -euo pipefail
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN="$dir" GOFLAGS=-mod=mod go install github.com/temporalio/cli/cmd/temporal@v1.5.1
npm init -y >/dev/null
npm install --no-audit --no-fund @temporalio/worker@1.24.0 @temporalio/client@1.24.0 @temporalio/workflow@1.24.0 >/dev/null 2>&1
cat >workflows.js <<'JS'
const { sleep } = require('@temporalio/workflow');

exports.twice = async () => {
  const timer = setTimeout(() => {}, 100000);
  await sleep(10);
  clearTimeout(timer);
  clearTimeout(timer);
};
exports.afterFiring = async () => {
  const timer = setTimeout(() => {}, 10);
  await sleep(500);
  clearTimeout(timer);
};
exports.nothing = async () => {
  let timer;
  clearTimeout(timer);
};
JS
cat >run.js <<'JS'
const { Worker, NativeConnection, Runtime, DefaultLogger } = require('@temporalio/worker');
const { Client, Connection } = require('@temporalio/client');

Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function connect(address) {
  for (let tries = 0; ; tries++) {
    try {
      return [await NativeConnection.connect({ address }), await Connection.connect({ address })];
    } catch (error) {
      if (tries > 100) throw error;
      await wait(200);
    }
  }
}

async function outcome(execution) {
  for (;;) {
    const { events } = await execution.fetchHistory();
    if (events.some((e) => e.workflowExecutionCompletedEventAttributes)) return 'completed';
    const failed = events.find((e) => e.workflowTaskFailedEventAttributes);
    if (failed) {
      const { status } = await execution.describe();
      await execution.terminate();
      return `${status.name === 'RUNNING' ? 'open' : status.name}, its task failed: ${failed.workflowTaskFailedEventAttributes.failure.message}`;
    }
    await wait(100);
  }
}

(async () => {
  const [connection, ofClient] = await connect(process.argv[2]);
  const worker = await Worker.create({ connection, taskQueue: 'timers', workflowsPath: require.resolve('./workflows.js') });
  const ended = worker.run();
  const client = new Client({ connection: ofClient });
  for (const [type, what] of [['twice', 'cleared twice'], ['afterFiring', 'cleared after firing'], ['nothing', 'cleared undefined']]) {
    const execution = await client.workflow.start(type, { taskQueue: 'timers', workflowId: type });
    console.log(`${what.padEnd(20)} ${await outcome(execution)}`);
  }
  worker.shutdown();
  await ended;
  process.exit(0);
})();
JS
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo 17233)
./temporal server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level never >/dev/null 2>&1 &
server=$!
node run.js "127.0.0.1:$port" >seen
cat seen
diff seen - <<'WANT'
cleared twice        completed
cleared after firing completed
cleared undefined    open, its task failed: [TMPRL1100] Nondeterminism error: Missing associated machine for Timer(0)
WANT
