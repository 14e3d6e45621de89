declare const require: (name: string) => any;

// The package knows Node's module as it was before events.on and signals.
export function make(): any {
  const EventEmitter = require('events/');
  const { once } = EventEmitter;
  EventEmitter.once = function (emitter: any, name: string, options?: { signal?: AbortSignal }) {
    const signal = options?.signal;
    const arrived = once(emitter, name);
    if (!signal) return arrived;
    return Promise.race([arrived, new Promise((_, reject) => onAbort(signal, reject))]);
  };
  EventEmitter.on = async function* (emitter: any, name: string, options?: { signal?: AbortSignal }) {
    const waiting: any[] = [];
    let failure: { reason: unknown } | undefined;
    let wake = () => {};
    const push = (...args: unknown[]) => (waiting.push(args), wake());
    const fail = (reason: unknown) => ((failure = { reason }), wake());
    emitter.on(name, push);
    if (name !== 'error') emitter.on('error', fail);
    if (options?.signal) onAbort(options.signal, fail);
    try {
      for (;;) {
        while (waiting.length) yield waiting.shift();
        if (failure) throw failure.reason;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      emitter.removeListener(name, push);
      emitter.removeListener('error', fail);
    }
  };
  EventEmitter.getEventListeners = (emitter: any, name: string) => emitter.listeners(name);
  EventEmitter.setMaxListeners = (n: number, ...emitters: any[]) => emitters.forEach((e) => e.setMaxListeners?.(n));
  return EventEmitter;
}

export function onAbort(signal: AbortSignal, f: (reason: unknown) => void): void {
  const abort = () => f(Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR', cause: signal.reason }));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
}
