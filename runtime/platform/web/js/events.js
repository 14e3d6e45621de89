// DOMException, Event, EventTarget, AbortController, AbortSignal.
(function (host) {
  "use strict";
  const codes = { AbortError: 20, DataCloneError: 25, InvalidCharacterError: 5, NotSupportedError: 9, QuotaExceededError: 22, TimeoutError: 23 };
  class DOMException extends Error {
    #name;
    constructor(message = "", name = "Error") {
      super(message);
      this.#name = String(typeof name === "object" && name !== null ? name.name ?? "Error" : name);
      if (typeof name === "object" && name !== null && "cause" in name) this.cause = name.cause;
    }
    get name() {
      return this.#name;
    }
    get code() {
      return codes[this.#name] ?? 0;
    }
  }

  class Event {
    #prevented = false;
    constructor(type, options = {}) {
      this.type = String(type);
      this.bubbles = !!options.bubbles;
      this.cancelable = !!options.cancelable;
      this.target = this.currentTarget = null;
      this.timeStamp = host.now();
      this.stopped = false;
      Object.defineProperty(this, "stopped", { enumerable: false });
    }
    get defaultPrevented() {
      return this.#prevented;
    }
    preventDefault() {
      if (this.cancelable) this.#prevented = true;
    }
    stopPropagation() {}
    stopImmediatePropagation() {
      this.stopped = true;
    }
  }

  class EventTarget {
    #listeners = new Map();
    addEventListener(type, listener, options) {
      if (listener == null) return;
      const { once = false, signal } = typeof options === "object" && options !== null ? options : {};
      if (signal?.aborted) return;
      const list = this.#listeners.get(String(type)) ?? [];
      if (list.some((l) => l.listener === listener)) return;
      this.#listeners.set(String(type), [...list, { listener, once }]);
      signal?.addEventListener("abort", () => this.removeEventListener(type, listener), { once: true });
    }
    removeEventListener(type, listener) {
      const list = this.#listeners.get(String(type));
      if (list) this.#listeners.set(String(type), list.filter((l) => l.listener !== listener));
    }
    dispatchEvent(event) {
      event.target = event.currentTarget = this;
      for (const l of this.#listeners.get(event.type) ?? []) {
        if (event.stopped) break;
        if (l.once) this.removeEventListener(event.type, l.listener);
        if (typeof l.listener === "function") l.listener.call(this, event);
        else l.listener.handleEvent(event);
      }
      return !event.defaultPrevented;
    }
  }

  const key = Symbol("abort");
  let make; // the only way to a signal without a controller
  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    static {
      make = () => new AbortSignal(key);
    }
    constructor(by) {
      if (by !== key) throw new TypeError("Illegal constructor");
      super();
    }
    #handler = null;
    #call = (event) => this.#handler.call(this, event);
    get onabort() {
      return this.#handler;
    }
    set onabort(handler) {
      this.#handler = typeof handler === "function" ? handler : null;
      if (this.#handler) this.addEventListener("abort", this.#call);
      else this.removeEventListener("abort", this.#call);
    }
    get aborted() {
      return this.#aborted;
    }
    get reason() {
      return this.#reason;
    }
    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }
    [key](reason) {
      if (this.#aborted) return;
      this.#aborted = true;
      this.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
      this.dispatchEvent(new Event("abort"));
    }
    static abort(reason) {
      const signal = make();
      signal[key](reason);
      return signal;
    }
    static timeout(milliseconds) {
      const signal = make();
      setTimeout(() => signal[key](new DOMException("The operation was aborted due to timeout", "TimeoutError")), milliseconds);
      return signal;
    }
    static any(signals) {
      const any = make();
      const list = [...signals];
      const aborted = list.find((s) => s.aborted);
      if (aborted) any[key](aborted.reason);
      else for (const s of list) s.addEventListener("abort", () => any[key](s.reason), { once: true });
      return any;
    }
  }
  class AbortController {
    #signal = make();
    get signal() {
      return this.#signal;
    }
    abort(reason) {
      this.#signal[key](reason);
    }
  }
  for (const c of [DOMException, Event, EventTarget, AbortSignal, AbortController]) {
    Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
  }
  return { DOMException, Event, EventTarget, AbortController, AbortSignal };
})
