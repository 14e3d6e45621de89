// node:async_hooks as far as goja can tell of asynchronous work: the storage that runtime/sandbox makes a global.
import { isString } from './errors';

const { AsyncLocalStorage } = globalThis as any;

export class AsyncResource {
  readonly #run: (f: (...args: any[]) => any, ...args: any[]) => any;
  constructor(readonly type: string) {
    isString(type, 'type');
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
  asyncId(): number {
    return 1;
  }
  triggerAsyncId(): number {
    return 0;
  }
  emitDestroy(): this {
    return this;
  }
}

// Of what is asynchronous nothing is told but the values that go with it.
const hook = () => ({ enable: hook, disable: hook });

export const make = () => ({
  AsyncLocalStorage,
  AsyncResource,
  asyncWrapProviders: Object.freeze({ __proto__: null, NONE: 0 }),
  createHook: hook,
  executionAsyncId: () => 1,
  executionAsyncResource: () => ({}),
  triggerAsyncId: () => 0,
});
