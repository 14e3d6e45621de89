// MessageChannel, MessagePort, MessageEvent, CustomEvent. Messages between the ports of one execution, in order, each in a turn
// of its own.
(function () {
  "use strict";
  class CustomEvent extends Event {
    #detail;
    constructor(type, options = {}) {
      super(type, options);
      this.#detail = options?.detail ?? null;
    }
    get detail() {
      return this.#detail;
    }
  }
  class MessageEvent extends Event {
    constructor(type, options = {}) {
      super(type, options);
      const { data = null, origin = "", lastEventId = "", source = null, ports = [] } = options ?? {};
      for (const [name, value] of Object.entries({ data, origin, lastEventId, source, ports })) {
        Object.defineProperty(this, name, { value, enumerable: true });
      }
    }
  }
  const token = {};
  class MessagePort extends EventTarget {
    #other = null;
    #waiting = [];
    #started = false;
    #closed = false;
    #handlers = { message: null, messageerror: null, close: null };
    constructor(by) {
      if (by !== token) throw new TypeError("Illegal constructor");
      super();
    }
    static join(a, b) {
      a.#other = b;
      b.#other = a;
    }
    #deliver(data) {
      if (this.#closed) return;
      if (!this.#started) this.#waiting.push(data);
      else setImmediate(() => this.#closed || this.dispatchEvent(new MessageEvent("message", { data })));
    }
    postMessage(message, options) {
      const transfer = Array.isArray(options) ? options : options?.transfer;
      const copy = structuredClone(message, { transfer });
      if (!this.#closed) this.#other.#deliver(copy);
    }
    start() {
      if (this.#started) return;
      this.#started = true;
      for (const data of this.#waiting.splice(0)) this.#deliver(data);
    }
    close() {
      if (this.#closed) return;
      this.#closed = this.#other.#closed = true;
      for (const port of [this, this.#other]) setImmediate(() => port.dispatchEvent(new Event("close")));
    }
    ref() {
      return this;
    }
    unref() {
      return this;
    }
    addEventListener(type, listener, options) {
      super.addEventListener(type, listener, options);
      if (type === "message") this.start(); // as in Node
    }
    static handler(type) {
      return {
        get() {
          return this.#handlers[type]?.handler ?? null;
        },
        set(handler) {
          const before = this.#handlers[type];
          if (before) this.removeEventListener(type, before.call);
          this.#handlers[type] = typeof handler === "function" ? { handler, call: (event) => handler.call(this, event) } : null;
          if (this.#handlers[type]) this.addEventListener(type, this.#handlers[type].call);
        },
        enumerable: true,
        configurable: true,
      };
    }
  }
  const { join, handler } = MessagePort;
  for (const name of ["join", "handler"]) delete MessagePort[name];
  for (const type of ["message", "messageerror", "close"]) Object.defineProperty(MessagePort.prototype, "on" + type, handler(type));
  class MessageChannel {
    constructor() {
      const ports = [new MessagePort(token), new MessagePort(token)];
      join(...ports);
      ports.forEach((value, i) => Object.defineProperty(this, "port" + (i + 1), { value, enumerable: true }));
    }
  }
  for (const c of [CustomEvent, MessageEvent, MessagePort, MessageChannel]) {
    Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
  }
  return { CustomEvent, MessageEvent, MessagePort, MessageChannel };
})
