import { CancellationScope } from '@temporalio/workflow/lib/cancellation-scope';
import { getActivator } from '@temporalio/workflow/lib/global-attributes';
import { overrideGlobals } from '@temporalio/workflow/lib/global-overrides';
import { untrackPromise } from '@temporalio/workflow/lib/stack-helpers';
import { sleep } from '@temporalio/workflow/lib/workflow';
import { host } from './host';

/** Replaces what would make a workflow depend on the machine. */
export function installGlobals(): void {
  overrideGlobals();
  const global: any = globalThis;

  // The package keeps the scopes of timeouts by sequence number in one map for the whole runtime, where two executions'
  // numbers meet. Here they belong to the execution.
  global.setTimeout = function setTimeout(callback: (...args: any[]) => unknown, ms: number = 1, ...args: any[]): number {
    const activator: any = getActivator();
    const seq = activator.nextSeqs.timer; // which sleep will take
    const scopes: Map<number, CancellationScope> = (activator.timeoutScopes ??= new Map());
    const scope = new CancellationScope({ cancellable: true });
    const done = scope.run(() => sleep(Math.max(1, ms)));
    scopes.set(seq, scope);
    done.then(
      () => {
        scopes.delete(seq);
        callback(...args);
      },
      () => scopes.delete(seq)
    );
    untrackPromise(done);
    return seq;
  };
  global.clearTimeout = function clearTimeout(handle: number): void {
    const scopes: Map<number, CancellationScope> | undefined = (getActivator() as any).timeoutScopes;
    const scope = scopes?.get(handle);
    scopes?.delete(handle);
    scope?.cancel();
  };

  const log =
    (level: string) =>
    (...args: unknown[]) =>
      host.console(level, args);
  // Each execution gets it as a property of its own global object, which it may overwrite.
  global.console = Object.fromEntries(['log', 'warn', 'error', 'info', 'debug'].map((level) => [level, log(level)]));
}
