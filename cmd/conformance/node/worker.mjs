// The official worker, for the differential mode. One process has the workers of all groups; commands come on stdin, a JSON
// object a line, and each is answered by one on stdout.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';

const require = createRequire(import.meta.url);
const logger = new DefaultLogger(process.env.CONFORMANCE_NODE_LOG ?? 'ERROR', ({ level, message, meta }) =>
  process.stderr.write(`${level} ${message} ${meta?.error?.stack ?? meta?.error ?? ''}\n`)
);
Runtime.install({ logger, shutdownSignals: [] });
const connection = await NativeConnection.connect({ address: process.argv[2] });

const groups = new Map(); // by task queue

async function load({ queue, workflows, activities }) {
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: workflows, logger: new DefaultLogger('ERROR') });
  groups.set(queue, { workflowBundle, activities: require(activities) });
}

async function start({ queue }) {
  const group = groups.get(queue);
  const worker = await Worker.create({
    connection,
    namespace: 'default',
    taskQueue: queue,
    workflowBundle: group.workflowBundle,
    activities: group.activities,
    workflowThreadPoolSize: 1,
    shutdownGraceTime: '2s',
  });
  group.worker = worker;
  group.done = worker.run();
  group.done.catch((err) => process.stderr.write(`${err?.stack}\n`));
}

async function stop({ queue }) {
  const group = groups.get(queue);
  group.worker.shutdown();
  await group.done;
}

const commands = { load, start, stop };
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    await commands[command.do](command);
    process.stdout.write(`${JSON.stringify({ ok: true })}\n`);
  } catch (err) {
    process.stdout.write(`${JSON.stringify({ error: String(err?.stack ?? err) })}\n`);
  }
}
process.exit(0);
