// DisposableStack and AsyncDisposableStack.
(function () {
  "use strict";
  const { apply } = Reflect;
  const define = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
  const callable = (f) => {
    if (typeof f !== "function") throw new TypeError(`${String(f)} is not a function`);
    return f;
  };
  const symbols = { false: Symbol.dispose, true: Symbol.asyncDispose };
  const make = (name, asynchronous) => {
    const dispose = symbols[asynchronous];
    class Stack {
      #todo = [];
      #disposed = false;
      get disposed() {
        return this.#disposed;
      }
      #open() {
        if (this.#disposed) throw new ReferenceError(`${name} was disposed already`);
      }
      use(value) {
        this.#open();
        if (value == null) return value;
        const f = value[dispose] ?? (asynchronous ? value[Symbol.dispose] : undefined);
        callable(f);
        this.#todo.push(() => apply(f, value, []));
        return value;
      }
      adopt(value, f) {
        this.#open();
        callable(f);
        this.#todo.push(() => f(value));
        return value;
      }
      defer(f) {
        this.#open();
        callable(f);
        this.#todo.push(() => f());
      }
      move() {
        this.#open();
        const to = new Stack();
        to.#todo = this.#todo;
        this.#todo = [];
        this.#disposed = true;
        return to;
      }
      get [Symbol.toStringTag]() {
        return name;
      }
      static close(stack) {
        if (stack.#disposed) return [];
        stack.#disposed = true;
        return stack.#todo.reverse();
      }
    }
    Object.defineProperty(Stack, "name", { value: name });
    return Stack;
  };
  class SuppressedError extends Error {
    constructor(error, suppressed, message, options) {
      super(message, options);
      define(this, "error", error);
      define(this, "suppressed", suppressed);
    }
  }
  define(SuppressedError.prototype, "name", "SuppressedError");
  define(SuppressedError.prototype, "message", "");
  const suppressed = (error, before) =>
    before === undefined ? { error } : { error: new SuppressedError(error, before.error, "An error was suppressed during disposal") };
  const Sync = make("DisposableStack", false);
  const closeSync = Sync.close;
  delete Sync.close;
  define(Sync.prototype, "dispose", function dispose() {
    let failed;
    for (const f of closeSync(this)) {
      try {
        f();
      } catch (e) {
        failed = suppressed(e, failed);
      }
    }
    if (failed) throw failed.error;
  });
  define(Sync.prototype, Symbol.dispose, Sync.prototype.dispose);
  const Async = make("AsyncDisposableStack", true);
  const closeAsync = Async.close;
  delete Async.close;
  define(Async.prototype, "disposeAsync", async function disposeAsync() {
    let failed;
    for (const f of closeAsync(this)) {
      try {
        await f();
      } catch (e) {
        failed = suppressed(e, failed);
      }
    }
    if (failed) throw failed.error;
  });
  define(Async.prototype, Symbol.asyncDispose, Async.prototype.disposeAsync);
  return { SuppressedError, DisposableStack: Sync, AsyncDisposableStack: Async };
})
