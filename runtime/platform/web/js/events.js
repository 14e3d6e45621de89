// DOMException, Event, EventTarget, AbortController, AbortSignal.
(function (host) {
  "use strict";
  const codes = {
    IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5, NoModificationAllowedError: 7, NotFoundError: 8,
    NotSupportedError: 9, InUseAttributeError: 10, InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14,
    InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20, URLMismatchError: 21, QuotaExceededError: 22,
    TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25,
  };
  class DOMException extends Error {
    #name;
    constructor(message = "", name = "Error") {
      super(message);
      this.#name = String(typeof name === "object" && name !== null ? name.name ?? "Error" : name);
      if (typeof name === "object" && name !== null && "cause" in name) {
        Object.defineProperty(this, "cause", { value: name.cause, writable: true, enumerable: false, configurable: true });
      }
    }
    get name() {
      return this.#name;
    }
    get code() {
      return codes[this.#name] ?? 0;
    }
  }

  for (const [name, code] of Object.entries(codes)) {
    const value = { value: code, enumerable: true };
    const constant = name.replace(/Error$/, "").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase() + "_ERR";
    Object.defineProperty(DOMException, constant, value);
    Object.defineProperty(DOMException.prototype, constant, value);
  }

  const state = Symbol("state"); // what the target of an event sets in it
  const own = new WeakSet(); // the platform's own events
  class Event {
    static NONE = 0;
    static CAPTURING_PHASE = 1;
    static AT_TARGET = 2;
    static BUBBLING_PHASE = 3;
    #type;
    #options;
    #prevented = false;
    #stopped = false;
    #immediately = false;
    #target = null;
    #current = null;
    #time = host.now();
    constructor(type, options) {
      if (arguments.length === 0) throw fault(TypeError, "ERR_MISSING_ARGS", 'The "type" argument must be specified');
      if (options != null && typeof options !== "object") throw wrongType("options", "of type object", options);
      this.#type = `${type}`;
      this.#options = { bubbles: !!options?.bubbles, cancelable: !!options?.cancelable, composed: !!options?.composed };
    }
    [state](target, current) {
      if (target !== undefined) this.#target = target;
      this.#current = current;
      return this.#immediately;
    }
    get isTrusted() {
      return own.has(this);
    }
    get type() {
      return this.#type;
    }
    get bubbles() {
      return this.#options.bubbles;
    }
    get cancelable() {
      return this.#options.cancelable;
    }
    get composed() {
      return this.#options.composed;
    }
    get target() {
      return this.#target;
    }
    get srcElement() {
      return this.#target;
    }
    get currentTarget() {
      return this.#current;
    }
    get timeStamp() {
      return this.#time;
    }
    get eventPhase() {
      return this.#current ? Event.AT_TARGET : Event.NONE;
    }
    get defaultPrevented() {
      return this.#options.cancelable && this.#prevented;
    }
    get returnValue() {
      return !this.defaultPrevented;
    }
    get cancelBubble() {
      return this.#stopped;
    }
    set cancelBubble(value) {
      if (value) this.#stopped = true;
    }
    composedPath() {
      return this.#current ? [this.#current] : [];
    }
    preventDefault() {
      if (this.cancelable) this.#prevented = true;
    }
    stopPropagation() {
      this.#stopped = true;
    }
    stopImmediatePropagation() {
      this.#immediately = this.#stopped = true;
    }
  }
  const captures = (options) => (typeof options === "boolean" ? options : !!options?.capture);
  class EventTarget {
    #listeners = new Map();
    addEventListener(type, listener, options) {
      if (arguments.length < 2) throw fault(TypeError, "ERR_MISSING_ARGS", 'The "type" and "listener" arguments must be specified');
      if (listener == null) return;
      if (typeof listener !== "function" && typeof listener !== "object") throw wrongType("listener", "an instance of EventListener", listener);
      const { once = false, signal } = typeof options === "object" && options !== null ? options : {};
      if (signal !== undefined && (typeof signal !== "object" || signal === null || !("aborted" in signal))) throw wrongType("options.signal", "an instance of AbortSignal", signal);
      if (signal?.aborted) return;
      const capture = captures(options);
      const list = this.#listeners.get(`${type}`) ?? [];
      if (list.some((l) => l.listener === listener && l.capture === capture)) return;
      this.#listeners.set(`${type}`, [...list, { listener, once: !!once, capture, gone: false }]);
      signal?.addEventListener("abort", () => this.removeEventListener(type, listener, options), { once: true });
    }
    removeEventListener(type, listener, options) {
      if (arguments.length < 2) throw fault(TypeError, "ERR_MISSING_ARGS", 'The "type" and "listener" arguments must be specified');
      const capture = captures(options);
      const list = this.#listeners.get(`${type}`);
      const found = list?.find((l) => l.listener === listener && l.capture === capture);
      if (!found) return;
      found.gone = true; // also to who is just telling all of an event
      this.#listeners.set(`${type}`, list.filter((l) => l !== found));
    }
    dispatchEvent(event) {
      if (arguments.length === 0) throw fault(TypeError, "ERR_MISSING_ARGS", 'The "event" argument must be specified');
      if (!(event instanceof Event)) throw wrongType("event", "an instance of Event", event);
      if (event.currentTarget) throw fault(Error, "ERR_EVENT_RECURSION", `The event "${event.type}" is already being dispatched`);
      event[state](this, this);
      try {
        for (const l of this.#listeners.get(event.type) ?? []) {
          if (event[state](this, this)) break;
          if (l.gone) continue;
          if (l.once) this.removeEventListener(event.type, l.listener, l.capture);
          if (typeof l.listener === "function") l.listener.call(this, event);
          else l.listener.handleEvent?.(event);
        }
      } finally {
        event[state](this, null);
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
      if (by !== key) throw fault(TypeError, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
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
      const event = new Event("abort");
      own.add(event);
      this.dispatchEvent(event);
    }
    static abort(reason) {
      const signal = make();
      signal[key](reason);
      return signal;
    }
    static timeout(milliseconds) {
      if (typeof milliseconds !== "number") throw wrongType("delay", "of type number", milliseconds);
      if (!Number.isInteger(milliseconds)) throw fault(RangeError, "ERR_OUT_OF_RANGE", `The value of "delay" is out of range. It must be an integer. Received ${milliseconds}`);
      if (milliseconds < 0 || milliseconds > 4294967295) {
        throw fault(RangeError, "ERR_OUT_OF_RANGE", `The value of "delay" is out of range. It must be >= 0 && <= 4294967295. Received ${milliseconds}`);
      }
      const signal = make();
      setTimeout(() => signal[key](new DOMException("The operation was aborted due to timeout", "TimeoutError")), milliseconds);
      return signal;
    }
    static any(signals) {
      if (typeof signals !== "object" || signals === null || typeof signals[Symbol.iterator] !== "function") throw wrongType("signals", "an instance of Array", signals);
      const any = make();
      const list = [...signals];
      list.forEach((s, i) => {
        if (typeof s !== "object" || s === null || !("aborted" in s)) throw wrongType(`signals[${i}]`, "an instance of AbortSignal", s);
      });
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
