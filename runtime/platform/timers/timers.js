// Timers and queueMicrotask. A callback runs in the asynchronous context it was set in.
(function (host) {
  "use strict";
  const bind = AsyncLocalStorage.bind;
  const timers = new Map();
  const notCallable = (value) => wrongType("callback", "of type function", value);
  class Timeout {
    #callback;
    #delay;
    #repeat;
    #id = 0;
    constructor(callback, kind, delay, args) {
      if (typeof callback !== "function") {
        throw notCallable(callback);
      }
      delay = Number(delay);
      if (!(delay >= 1 && delay <= 2147483647)) delay = 1;
      this.#delay = kind === "immediate" ? 0 : delay;
      this.#repeat = kind === "interval";
      const bound = bind(callback);
      this.#callback = () => bound(...args);
      this.#arm();
    }
    #arm() {
      this.#id = host.startTimer(this.#delay, () => {
        timers.delete(this.#id);
        const id = this.#id;
        this.#callback();
        if (this.#repeat && this.#id === id) this.#arm();
      });
      if (this.#id === 0) throw new RangeError(`More than ${host.maxTimers} timers`);
      timers.set(this.#id, this);
    }
    close() {
      host.stopTimer(this.#id);
      timers.delete(this.#id);
      this.#id = 0;
      return this;
    }
    refresh() {
      if (this.#id !== 0) {
        this.close();
        this.#arm();
      }
      return this;
    }
    ref() {
      return this;
    }
    unref() {
      return this;
    }
    hasRef() {
      return true;
    }
    [Symbol.toPrimitive]() {
      return this.#id;
    }
  }
  const clear = (timer) => {
    if (!(timer instanceof Timeout)) timer = timers.get(Number(timer));
    timer?.close();
  };
  function setTimeout(callback, delay, ...args) {
    return new Timeout(callback, "timeout", delay, args);
  }
  function setInterval(callback, delay, ...args) {
    return new Timeout(callback, "interval", delay, args);
  }
  function setImmediate(callback, ...args) {
    return new Timeout(callback, "immediate", 0, args);
  }
  const clearTimeout = (timer) => clear(timer);
  const clearInterval = (timer) => clear(timer);
  const clearImmediate = (timer) => clear(timer);
  function queueMicrotask(callback) {
    if (typeof callback !== "function") throw notCallable(callback);
    const bound = bind(callback);
    Promise.resolve().then(() => bound());
  }
  return { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, queueMicrotask };
})
