// What is there from the start: timers, console, queueMicrotask, process, performance, crypto; and where the rest is
// loaded from when it's first named.
(function (host) {
  "use strict";
  const bind = AsyncLocalStorage.bind;
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });

  // Timers. A callback runs in the asynchronous context it was set in.
  const timers = new Map();
  class Timeout {
    #callback;
    #delay;
    #repeat;
    #id = 0;
    constructor(callback, kind, delay, args) {
      if (typeof callback !== "function") {
        throw new TypeError(`The "callback" argument must be of type function. Received ${callback}`);
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
  define("setTimeout", function setTimeout(callback, delay, ...args) {
    return new Timeout(callback, "timeout", delay, args);
  });
  define("setInterval", function setInterval(callback, delay, ...args) {
    return new Timeout(callback, "interval", delay, args);
  });
  define("setImmediate", function setImmediate(callback, ...args) {
    return new Timeout(callback, "immediate", 0, args);
  });
  for (const name of ["clearTimeout", "clearInterval", "clearImmediate"]) {
    define(name, { [name]: (timer) => clear(timer) }[name]);
  }
  define("queueMicrotask", function queueMicrotask(callback) {
    if (typeof callback !== "function") throw new TypeError('The "callback" argument must be of type function');
    const bound = bind(callback);
    Promise.resolve().then(() => bound());
  });

  // Console: each line goes to the log of the service.
  let indent = "";
  const counts = new Map();
  const clocks = new Map();
  const print = (level, args) => host.print(level, indent, args);
  const elapsed = (label) => `${label}: ${(host.now() - clocks.get(label)).toFixed(3)}ms`;
  const console = {
    debug: (...args) => print("debug", args),
    log: (...args) => print("info", args),
    info: (...args) => print("info", args),
    warn: (...args) => print("warn", args),
    error: (...args) => print("error", args),
    trace: (...args) => print("info", ["Trace:", ...args]),
    dir: (value) => print("info", [value]),
    table: (value) => print("info", [value]),
    assert: (condition, ...args) => {
      if (!condition) print("error", args.length ? ["Assertion failed:", ...args] : ["Assertion failed"]);
    },
    group: (...args) => {
      if (args.length) print("info", args);
      indent = (indent + "  ").slice(0, 40);
    },
    groupEnd: () => {
      indent = indent.slice(2);
    },
    count: (label = "default") => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      print("info", [`${label}: ${counts.get(label)}`]);
    },
    countReset: (label = "default") => counts.delete(label),
    time: (label = "default") => clocks.set(label, host.now()),
    timeLog: (label = "default", ...args) => clocks.has(label) && print("info", [elapsed(label), ...args]),
    timeEnd: (label = "default") => {
      if (clocks.has(label)) print("info", [elapsed(label)]);
      clocks.delete(label);
    },
  };
  console.groupCollapsed = console.group;
  console.dirxml = console.log;
  define("console", console);

  define("global", globalThis);
  define("self", globalThis);
  define("performance", { now: () => host.now(), timeOrigin: host.timeOrigin, toJSON: () => ({ timeOrigin: host.timeOrigin }) });
  const hrtime = (since) => {
    const t = host.now();
    let seconds = Math.floor(t / 1e3);
    let nanoseconds = Math.floor((t % 1e3) * 1e6);
    if (since) {
      seconds -= since[0];
      nanoseconds -= since[1];
      if (nanoseconds < 0) {
        seconds -= 1;
        nanoseconds += 1e9;
      }
    }
    return [seconds, nanoseconds];
  };
  hrtime.bigint = () => BigInt(Math.round(host.now() * 1e6));
  define("process", {
    env: Object.freeze({ __proto__: null, ...host.env }),
    argv: Object.freeze([]),
    versions: Object.freeze({}),
    version: "",
    platform: "linux",
    cwd: () => "/",
    uptime: () => host.now() / 1e3,
    hrtime,
    nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
    emitWarning: (warning) => print("warn", [warning]),
  });

  const subtle = {
    async digest(algorithm, data) {
      const name = String(algorithm?.name ?? algorithm);
      const hash = host.digest(name.toUpperCase(), bytesOf(data));
      if (!hash) throw new DOMException(`Unrecognized algorithm name: ${name}`, "NotSupportedError");
      return hash;
    },
  };
  const bytesOf = (data) => {
    if (data instanceof ArrayBuffer) return data;
    if (ArrayBuffer.isView(data)) return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    throw new TypeError("The data must be an ArrayBuffer, a typed array or a DataView");
  };
  define("crypto", {
    subtle,
    randomUUID: () => host.randomUUID(),
    getRandomValues(array) {
      if (!ArrayBuffer.isView(array) || array instanceof Float32Array || array instanceof Float64Array || array instanceof DataView) {
        throw new TypeError("The data argument must be an integer-type typed array");
      }
      if (array.byteLength > 65536) {
        throw new DOMException(`The requested length exceeds 65,536 bytes`, "QuotaExceededError");
      }
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(new Uint8Array(host.random(array.byteLength)));
      return array;
    },
  });

  // The rest. Naming one of a group's globals defines them all, except those that the author has replaced by then.
  const groups = {
    events: ["DOMException", "Event", "EventTarget", "AbortController", "AbortSignal"],
    url: ["URL", "URLSearchParams"],
    fetch: ["fetch", "Headers", "Request", "Response", "Blob"],
    clone: ["structuredClone"],
  };
  for (const [group, names] of Object.entries(groups)) {
    let pending = new Set(names);
    for (const name of names) {
      Object.defineProperty(globalThis, name, {
        enumerable: false,
        configurable: true,
        get() {
          const values = host.load(group);
          for (const name of pending) define(name, values[name]);
          pending = new Set();
          return globalThis[name];
        },
        set(value) {
          pending.delete(name);
          define(name, value);
        },
      });
    }
  }
})
