// node:async_hooks as far as goja can tell of asynchronous work: the storage that runtime/sandbox makes a global.
const { AsyncLocalStorage } = globalThis as any;

export class AsyncResource {
  readonly #run: (f: (...args: any[]) => any, ...args: any[]) => any;
  constructor(readonly type: string) {
    this.#run = AsyncLocalStorage.snapshot();
  }
  runInAsyncScope(f: (...args: any[]) => any, thisArg?: unknown, ...args: any[]): any {
    return this.#run(() => f.apply(thisArg, args));
  }
  bind(f: (...args: any[]) => any): (...args: any[]) => any {
    const resource = this;
    return function (this: unknown, ...args: any[]) {
      return resource.runInAsyncScope(f, this, ...args);
    };
  }
  static bind(f: (...args: any[]) => any, type = 'bound-anonymous-fn'): (...args: any[]) => any {
    return new AsyncResource(type).bind(f);
  }
  emitDestroy(): this {
    return this;
  }
}

export const make = () => ({ AsyncLocalStorage, AsyncResource });
