import { getActivator } from '@temporalio/workflow/lib/global-attributes';
import { DeterminismViolationError } from '@temporalio/workflow/lib/errors';
import { host } from './host';

// The web platform's part that is deterministic: each group is made when one of its names is first used, frozen, and shared
// by all executions of the runtime from then on.
const made = new Map<string, any>();

function load(group: string): any {
  let values = made.get(group);
  if (!values) {
    values = host.web(group, () => getActivator().now);
    made.set(group, values);
  }
  return values;
}

const originals: Record<string, () => unknown> = {};

/** Makes the names globals that an execution may replace for itself. */
export function installWeb(): void {
  const groups = host.webGroups();
  for (const group of Object.keys(groups)) {
    for (const name of groups[group]!) {
      originals[name] = () => load(group)[name];
      Object.defineProperty(globalThis, name, {
        get: originals[name],
        set(this: object, value: unknown) {
          Object.defineProperty(this ?? globalThis, name, { value, writable: true, enumerable: true, configurable: true });
        },
        enumerable: false,
        configurable: true,
      });
    }
  }
  const global: any = globalThis;
  global.queueMicrotask = function queueMicrotask(callback: () => void): void {
    if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function');
    void Promise.resolve().then(() => callback());
  };
  global.SharedArrayBuffer = function SharedArrayBuffer(): never {
    throw new DeterminismViolationError('SharedArrayBuffer cannot be used in Workflows: there is nobody to share memory with');
  };
}

/** What Node's modules of these names are to workflow code: as much of them as Temporal's own worker gives it. */
export const nodeModules: Record<string, () => unknown> = {
  assert: () => originals.assert!(),
  url: () => Object.freeze({ URL: originals.URL!(), URLSearchParams: originals.URLSearchParams!() }),
  util: () => Object.freeze({ TextEncoder: (globalThis as any).TextEncoder, TextDecoder: (globalThis as any).TextDecoder }),
};
