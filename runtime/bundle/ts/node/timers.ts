import { isBoolean, isObject, isSignal } from './errors';
import { onAbort } from './events';

type Options = { signal?: AbortSignal; ref?: boolean };

export function make(): any {
  const wait = (start: (f: () => void) => any, stop: (id: any) => void, value: unknown, options?: Options) =>
    new Promise((resolve, reject) => {
      if (options !== undefined) isObject(options, 'options');
      isSignal(options?.signal, 'options.signal');
      if (options?.ref !== undefined) isBoolean(options.ref, 'options.ref');
      if (options?.signal?.aborted) return onAbort(options.signal, reject);
      const id = start(() => resolve(value));
      if (options?.signal) onAbort(options.signal, (reason) => (stop(id), reject(reason)));
    });
  const later = (delay = 1, value?: unknown, options?: Options) => wait((f) => setTimeout(f, delay), clearTimeout, value, options);
  const g: any = globalThis;
  return {
    setTimeout: later,
    setImmediate: (value?: unknown, options?: Options) => wait((f) => g.setImmediate(f), g.clearImmediate, value, options),
    async *setInterval(delay = 1, value?: unknown, options?: Options) {
      for (;;) yield await later(delay, value, options);
    },
    scheduler: { wait: (delay: number, options?: Options) => later(delay, undefined, options), yield: () => later(0) },
  };
}
