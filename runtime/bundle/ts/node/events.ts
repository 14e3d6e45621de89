import { AbortError, fault, isFunction, isSignal, outOfRange, wrongType } from './errors';
import { inspect } from './inspect';

declare const require: (name: string) => any;

const captureRejectionSymbol = Symbol.for('nodejs.rejection');
const errorMonitor = Symbol('events.errorMonitor');
const capture = Symbol('captures');

let made: any;

// The package knows Node's module as it was before events.on, signals and promises of listeners.
export function make(): any {
  if (made) return made;
  const EventEmitter = require('events/');
  const { once, prototype } = EventEmitter;
  made = EventEmitter;
  const { init } = EventEmitter;
  EventEmitter.init = function (this: any, options?: any) {
    init.call(this);
    if (options?.captureRejections !== undefined ? options.captureRejections : EventEmitter.captureRejections) {
      Object.defineProperty(this, capture, { value: true });
    }
  };
  // The package's constructor hands no options on.
  const Emitter: any = function (this: any, options?: any) {
    EventEmitter.init.call(this, options);
  };
  Emitter.prototype = prototype;
  Object.defineProperty(Emitter, 'name', { value: 'EventEmitter' });
  for (const name of Object.getOwnPropertyNames(EventEmitter)) {
    if (!(name in { length: 0, name: 0, prototype: 0, arguments: 0, caller: 0 })) Object.defineProperty(Emitter, name, Object.getOwnPropertyDescriptor(EventEmitter, name)!);
  }
  made = Emitter;
  Object.defineProperty(prototype, 'constructor', { value: Emitter, writable: true, configurable: true });

  const listens = (name: string) => {
    const theirs = prototype[name];
    const ours = { [name](this: any, event: any, listener: any) {
      isFunction(listener, 'listener');
      return theirs.call(this, event, listener);
    } }[name]!;
    Object.defineProperty(prototype, name, { value: ours, writable: true, configurable: true, enumerable: true });
  };
  for (const name of ['addListener', 'prependListener', 'once', 'prependOnceListener', 'removeListener']) listens(name);
  prototype.on = prototype.addListener;
  prototype.off = prototype.removeListener;
  prototype.setMaxListeners = function (n: any) {
    if (typeof n !== 'number') throw wrongType('setMaxListeners', 'of type number', n);
    if (!(n >= 0)) throw outOfRange('setMaxListeners', '>= 0', n);
    this._maxListeners = n;
    return this;
  };
  prototype.listenerCount = function (event: any, listener?: any) {
    const all = this.listeners(event);
    return listener == null ? all.length : all.filter((one: any) => one === listener).length;
  };
  const { emit } = prototype;
  prototype.emit = function (event: any, ...args: any[]) {
    if (event === 'error') {
      if (this._events?.[errorMonitor] !== undefined) emit.call(this, errorMonitor, ...args);
      if (this._events?.error === undefined) throw unhandled(args[0]);
    }
    if (!(this as any)[capture]) return emit.call(this, event, ...args);
    const listeners = this.rawListeners(event);
    for (const listener of listeners) {
      const result = Reflect.apply(listener, this, args);
      if (typeof result?.then !== 'function') continue;
      result.then(undefined, (reason: unknown) => globalThis.process.nextTick(rejected, this, reason, event, args));
    }
    return listeners.length > 0;
  };

  return Object.assign(Emitter, {
    captureRejectionSymbol,
    captureRejections: false,
    errorMonitor,
    EventEmitter: Emitter,
    once(emitter: any, name: any, options?: { signal?: AbortSignal }) {
      try {
        isSignal(options?.signal, 'options.signal');
        if (typeof emitter?.on !== 'function' && typeof emitter?.addEventListener !== 'function') throw wrongType('emitter', 'an instance of EventEmitter', emitter);
      } catch (error) {
        return Promise.reject(error);
      }
      const signal = options?.signal;
      if (!signal) return once(emitter, name);
      if (signal.aborted) return Promise.reject(new AbortError(undefined, { cause: signal.reason }));
      return Promise.race([once(emitter, name), new Promise((_, reject) => onAbort(signal, reject))]);
    },
    async *on(emitter: any, name: string, options?: { signal?: AbortSignal; close?: string[] }) {
      const waiting: any[] = [];
      let failure: { reason: unknown } | undefined;
      let over = false;
      let wake = () => {};
      const push = (...args: unknown[]) => (waiting.push(args), wake());
      const fail = (reason: unknown) => ((failure = { reason }), wake());
      const close = () => ((over = true), wake());
      emitter.on(name, push);
      if (name !== 'error') emitter.on('error', fail);
      for (const event of options?.close ?? []) emitter.on(event, close);
      if (options?.signal) onAbort(options.signal, fail);
      try {
        for (;;) {
          while (waiting.length) yield waiting.shift();
          if (failure) throw failure.reason;
          if (over) return;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        emitter.removeListener(name, push);
        emitter.removeListener('error', fail);
        for (const event of options?.close ?? []) emitter.removeListener(event, close);
      }
    },
    addAbortListener(signal: any, listener: any) {
      if (signal === undefined) throw wrongType('signal', 'an instance of AbortSignal', signal);
      isSignal(signal);
      isFunction(listener, 'listener');
      if (signal.aborted) queueMicrotask(() => listener());
      else signal.addEventListener('abort', listener, { once: true });
      return { [(Symbol as any).dispose]: () => signal.removeEventListener('abort', listener) };
    },
    getEventListeners: (emitter: any, name: string) => (typeof emitter.listeners === 'function' ? emitter.listeners(name) : []),
    getMaxListeners: (emitter: any) => emitter.getMaxListeners?.() ?? Emitter.defaultMaxListeners,
    setMaxListeners: (n: number, ...emitters: any[]) => emitters.forEach((e) => e.setMaxListeners?.(n)),
  });
}

function unhandled(error: unknown): unknown {
  if (error instanceof Error) return error;
  let text: string;
  try {
    text = inspect(error);
  } catch {
    text = String(error);
  }
  return Object.assign(fault(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${text})`), { context: error });
}

/** A listener's promise was rejected. */
function rejected(emitter: any, reason: unknown, event: any, args: any[]): void {
  if (typeof emitter[captureRejectionSymbol] === 'function') return emitter[captureRejectionSymbol](reason, event, ...args);
  emitter.emit('error', reason);
}

export function onAbort(signal: AbortSignal, f: (reason: unknown) => void): void {
  const abort = () => f(new AbortError(undefined, { cause: signal.reason }));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
}
