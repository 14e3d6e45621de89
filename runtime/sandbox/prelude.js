// What goja lacks of the language, and caps on builtins that allocate by a number. Run once for each runtime, before any
// other code; everything it needs later it keeps in this closure, out of reach.
(function (host) {
  "use strict";
  const { getContext, setContext, maxBytes, encode, decode, jsonDepth } = host;
  const define = (object, name, value) =>
    Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
  const missing = (object, name, value) => {
    if (!(name in object)) define(object, name, value);
  };

  for (const name of ["asyncIterator", "dispose", "asyncDispose"]) {
    if (!Symbol[name]) Object.defineProperty(Symbol, name, { value: Symbol("Symbol." + name) });
  }

  missing(Promise, "withResolvers", function withResolvers() {
    let resolve, reject;
    const promise = new this((res, rej) => {
      resolve = res;
      reject = rej;
    });
    return { promise, resolve, reject };
  });
  missing(Promise, "try", function (f, ...args) {
    return new this((resolve) => resolve(f(...args)));
  });
  missing(Object, "groupBy", function groupBy(items, key) {
    const groups = Object.create(null);
    let i = 0;
    for (const item of items) {
      const k = key(item, i++);
      (groups[k] ??= []).push(item);
    }
    return groups;
  });
  missing(Map, "groupBy", function groupBy(items, key) {
    const groups = new Map();
    let i = 0;
    for (const item of items) {
      const k = key(item, i++);
      const group = groups.get(k);
      if (group) group.push(item);
      else groups.set(k, [item]);
    }
    return groups;
  });
  missing(Array, "fromAsync", async function fromAsync(items, map) {
    const out = [];
    const asynchronous = items[Symbol.asyncIterator];
    if (asynchronous) {
      const it = asynchronous.call(items);
      for (let step = await it.next(); !step.done; step = await it.next()) {
        out.push(map ? await map(step.value, out.length) : step.value);
      }
      return out;
    }
    for (const item of items[Symbol.iterator] ? items : Array.from(items)) {
      const value = await item;
      out.push(map ? await map(value, out.length) : value);
    }
    return out;
  });

  // A context is an immutable map from storages to values; undefined is the empty one.
  const withValue = (storage, value) => new Map(getContext()).set(storage, value);
  class AsyncLocalStorage {
    getStore() {
      return getContext()?.get(this);
    }
    run(store, f, ...args) {
      const before = getContext();
      setContext(withValue(this, store));
      try {
        return f(...args);
      } finally {
        setContext(before);
      }
    }
    exit(f, ...args) {
      return this.run(undefined, f, ...args);
    }
    enterWith(store) {
      setContext(withValue(this, store));
    }
    disable() {
      const context = new Map(getContext());
      context.delete(this);
      setContext(context);
    }
    static bind(f) {
      const context = getContext();
      return function (...args) {
        const before = getContext();
        setContext(context);
        try {
          return f.apply(this, args);
        } finally {
          setContext(before);
        }
      };
    }
    static snapshot() {
      return AsyncLocalStorage.bind((f, ...args) => f(...args));
    }
  }
  define(globalThis, "AsyncLocalStorage", AsyncLocalStorage);

  // Made when they are first used: most executions never do, and each costs memory.
  const shared = globalThis;
  const lazily = (name, make) => {
    let value;
    Object.defineProperty(shared, name, {
      get() {
        if (value === undefined) {
          value = make();
          // Made after its likes were frozen, for executions that share the runtime.
          if (Object.isFrozen(shared)) {
            Object.freeze(value);
            if (value.prototype) Object.freeze(value.prototype);
          }
        }
        return value;
      },
      set(value) {
        define(this ?? globalThis, name, value);
      },
      enumerable: false,
      configurable: true,
    });
  };
  lazily("TextEncoder", () => class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(text = "") {
      return new Uint8Array(encode(String(text)));
    }
    encodeInto(text, target) {
      const bytes = this.encode(text);
      let n = Math.min(bytes.length, target.length);
      while (n > 0 && n < bytes.length && (bytes[n] & 0xc0) === 0x80) n--;
      target.set(bytes.subarray(0, n));
      return { read: decode(bytes.subarray(0, n), false, true).length, written: n };
    }
  });
  lazily("TextDecoder", () => class TextDecoder {
    #fatal;
    #ignoreBOM;
    #rest = new Uint8Array(0);
    constructor(label = "utf-8", options = {}) {
      if (!["utf-8", "utf8", "unicode-1-1-utf-8"].includes(String(label).trim().toLowerCase())) {
        throw new RangeError(`The "${label}" encoding is not supported`);
      }
      this.#fatal = !!options.fatal;
      this.#ignoreBOM = !!options.ignoreBOM;
    }
    get encoding() {
      return "utf-8";
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#ignoreBOM;
    }
    decode(input, options) {
      let bytes = new Uint8Array(0);
      if (input !== undefined) {
        bytes = ArrayBuffer.isView(input)
          ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
          : new Uint8Array(input);
      }
      if (this.#rest.length > 0) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
        this.#rest = new Uint8Array(0);
      }
      if (options?.stream) {
        const cut = incompleteTail(bytes);
        this.#rest = bytes.slice(cut);
        bytes = bytes.subarray(0, cut);
      }
      const text = decode(bytes, this.#fatal, this.#ignoreBOM);
      if (text === undefined) throw new TypeError("The encoded data was not valid for encoding utf-8");
      return text;
    }
  });
  // Where an unfinished character at the end begins.
  function incompleteTail(bytes) {
    for (let back = 1; back <= 3 && back <= bytes.length; back++) {
      const b = bytes[bytes.length - back];
      if ((b & 0xc0) === 0x80) continue;
      const need = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
      return need > back ? bytes.length - back : bytes.length;
    }
    return bytes.length;
  }
  define(globalThis, "btoa", host.btoa);
  define(globalThis, "atob", host.atob);

  // Caps. goja can't be interrupted inside a builtin and has no memory limit, so one call must not take it all.
  const tooLarge = (what, bytes) => {
    if (bytes > maxBytes) throw new RangeError(`${what} would take ${bytes} bytes; the limit for one call is ${maxBytes}`);
  };
  const cap = (object, name, size) => {
    const original = object[name];
    const apply = Reflect.apply;
    define(object, name, {
      [name](...args) {
        tooLarge(name, size.apply(this, args));
        return apply(original, this, args);
      },
    }[name]);
  };
  cap(String.prototype, "repeat", function (n) {
    return 2 * String(this).length * Number(n);
  });
  const padded = (n) => 2 * Number(n);
  cap(String.prototype, "padStart", padded);
  cap(String.prototype, "padEnd", padded);
  const perElement = function () {
    return Array.isArray(this) ? 16 * this.length : 0;
  };
  for (const name of ["fill", "join", "toSorted", "toReversed", "with"]) {
    cap(Array.prototype, name, perElement);
  }
  cap(Array, "from", (items) => (items == null ? 0 : 16 * Number(items.length ?? 0)) || 0);
  const parse = JSON.parse;
  define(JSON, "parse", {
    parse(text, reviver) {
      text = String(text);
      tooLarge("JSON.parse", text.length);
      // goja's parser recurses, and a Go stack that overflows ends the process.
      const depth = jsonDepth(text);
      if (depth >> 1 > 5000) throw new SyntaxError("JSON nests deeper than 5000");
      return depth & 1 ? host.parseHalves(parse, text, reviver) : parse(text, reviver);
    },
  }.parse);
  return lazily;
})
