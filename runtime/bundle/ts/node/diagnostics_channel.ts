// node:diagnostics_channel: nothing of the platform publishes here, so it is between packages.
import { isFunction, wrongType } from './errors';

type Name = string | symbol;
type Listener = (message: unknown, name: Name) => void;
type Traced = (...args: any[]) => any;

class Channel {
  readonly #listeners: Listener[] = [];
  readonly #stores = new Map<any, ((data: unknown) => unknown) | undefined>();
  constructor(readonly name: Name) {}
  get hasSubscribers(): boolean {
    return this.#listeners.length > 0 || this.#stores.size > 0;
  }
  subscribe(listener: Listener): void {
    isFunction(listener, 'subscription');
    this.#listeners.push(listener);
  }
  unsubscribe(listener: Listener): boolean {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
    return at >= 0;
  }
  bindStore(store: any, transform?: (data: unknown) => unknown): void {
    this.#stores.set(store, transform);
  }
  unbindStore(store: any): boolean {
    return this.#stores.delete(store);
  }
  publish(message: unknown): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(message, this.name);
      } catch (error) {
        // As in Node, who publishes doesn't hear of it.
        (globalThis as any).process.nextTick(() => {
          throw error;
        });
      }
    }
  }
  runStores(data: unknown, f: Traced, thisArg?: unknown, ...args: any[]): any {
    let run = () => {
      this.publish(data);
      return Reflect.apply(f, thisArg, args);
    };
    for (const [store, transform] of this.#stores) {
      const within = run;
      run = () => store.run(transform ? transform(data) : data, within);
    }
    return run();
  }
}

const stages = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Stage = (typeof stages)[number];

class TracingChannel {
  declare start: Channel;
  declare end: Channel;
  declare asyncStart: Channel;
  declare asyncEnd: Channel;
  declare error: Channel;
  constructor(of: (stage: Stage) => Channel) {
    for (const stage of stages) Object.defineProperty(this, stage, { value: of(stage) });
  }
  get hasSubscribers(): boolean {
    return stages.some((stage) => this[stage].hasSubscribers);
  }
  subscribe(listeners: Partial<Record<Stage, Listener>>): void {
    for (const stage of stages) if (listeners[stage]) this[stage].subscribe(listeners[stage]);
  }
  unsubscribe(listeners: Partial<Record<Stage, Listener>>): boolean {
    return stages.filter((stage) => listeners[stage]).map((stage) => this[stage].unsubscribe(listeners[stage]!)).every(Boolean);
  }
  traceSync(f: Traced, context: any = {}, thisArg?: unknown, ...args: any[]): any {
    return this.#call(context, () => (context.result = Reflect.apply(f, thisArg, args)));
  }
  tracePromise(f: Traced, context: any = {}, thisArg?: unknown, ...args: any[]): any {
    const settled = () => {
      this.asyncStart.publish(context);
      this.asyncEnd.publish(context);
    };
    return this.#call(context, () =>
      Promise.resolve(Reflect.apply(f, thisArg, args)).then(
        (result) => {
          context.result = result;
          settled();
          return result;
        },
        (error) => {
          this.#failed(context, error);
          settled();
          throw error;
        },
      ),
    );
  }
  traceCallback(f: Traced, position = -1, context: any = {}, thisArg?: unknown, ...args: any[]): any {
    const callback = args.at(position);
    isFunction(callback, 'callback');
    args.splice(position, 1, (...results: any[]) => {
      if (results[0]) this.#failed(context, results[0]);
      else context.result = results[1];
      return this.asyncStart.runStores(context, () => {
        try {
          return callback(...results);
        } finally {
          this.asyncEnd.publish(context);
        }
      });
    });
    return this.#call(context, () => Reflect.apply(f, thisArg, args));
  }
  #call(context: any, f: () => any): any {
    return this.start.runStores(context, () => {
      try {
        return f();
      } catch (error) {
        this.#failed(context, error);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }
  #failed(context: any, error: unknown): void {
    context.error = error;
    this.error.publish(context);
  }
}

export function make() {
  const channels = new Map<Name, Channel>();
  const channel = (name: Name): Channel => {
    if (typeof name !== 'string' && typeof name !== 'symbol') {
      throw wrongType('channel', 'one of type string or symbol', name);
    }
    if (!channels.has(name)) channels.set(name, new Channel(name));
    return channels.get(name)!;
  };
  const tracingChannel = (of: any): TracingChannel => {
    if (typeof of === 'string') return new TracingChannel((stage) => channel(`tracing:${of}:${stage}`));
    if (typeof of === 'object' && of !== null) return new TracingChannel((stage) => of[stage]);
    throw wrongType('nameOrChannels', 'of type string or an instance of TracingChannel or Object', of);
  };
  return {
    channel,
    hasSubscribers: (name: Name) => channels.get(name)?.hasSubscribers ?? false,
    subscribe: (name: Name, listener: Listener) => channel(name).subscribe(listener),
    tracingChannel,
    unsubscribe: (name: Name, listener: Listener) => channel(name).unsubscribe(listener),
    Channel,
  };
}
