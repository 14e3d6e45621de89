import { host } from './host';

declare const require: (name: string) => any;

// The package knows Node's module as it was ten years ago.
export function make(): any {
  const util = { ...require('util/') };
  const g: any = globalThis;
  const { TextEncoder, TextDecoder } = g;
  // As console shows values: the package's own has no words for a Map or a Set.
  const inspect = Object.assign((value: unknown) => (typeof value === 'string' ? util.inspect.call(null, value) : host.format(value)), {
    custom: Symbol.for('nodejs.util.inspect.custom'),
  });
  // The package has a symbol of its own, which nobody else knows.
  const custom = Symbol.for('nodejs.util.promisify.custom');
  const promisify = Object.assign(
    (f: any) => {
      if (typeof f?.[custom] === 'function') return f[custom];
      if (f === g.setTimeout) return require('./timers').make().setTimeout;
      if (f === g.setImmediate) return require('./timers').make().setImmediate;
      return util.promisify(f);
    },
    { custom }
  );
  return Object.assign({}, util, {
    promisify,
    inspect,
    format: (...args: unknown[]) => host.format(...args),
    TextEncoder,
    TextDecoder,
    isDeepStrictEqual(a: unknown, b: unknown) {
      try {
        host.assert().deepStrictEqual(a, b);
        return true;
      } catch {
        return false;
      }
    },
    stripVTControlCharacters: (text: string) => text.replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, ''),
    toUSVString: (text: string) => String(text).toWellFormed(),
    aborted: (signal: AbortSignal) => new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }))),
  });
}
