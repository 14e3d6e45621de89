// Younger parts of the standard library that goja lacks, as far as workflows and activities can use them. Run once for each
// runtime, by the prelude; what is big is made when it is first used.
(function (host, lazily) {
  "use strict";
  const { apply, construct } = Reflect;
  const define = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
  const methods = (object, from) => {
    for (const name of Reflect.ownKeys(from)) if (!(name in object)) define(object, name, from[name]);
  };

  // The only zone there is has a short name in Go and a long one in V8.
  for (const name of ["toString", "toTimeString"]) {
    const original = Date.prototype[name];
    define(Date.prototype, name, {
      [name]() {
        return apply(original, this, []).replace(/\(UTC\)$/, "(Coordinated Universal Time)");
      },
    }[name]);
  }

  // goja's rejects with an error that has no message.
  define(Promise, "any", function any(promises) {
    const C = this;
    return new C((resolve, reject) => {
      const errors = [];
      let left = 1;
      const settled = () => {
        if (--left === 0) reject(new AggregateError(errors, "All promises were rejected"));
      };
      let i = 0;
      for (const promise of promises) {
        const at = i++;
        let called = false;
        left++;
        errors[at] = undefined;
        C.resolve(promise).then(resolve, (error) => {
          if (called) return;
          called = true;
          errors[at] = error;
          settled();
        });
      }
      settled();
    });
  });

  const { wellFormed } = host;
  methods(String.prototype, {
    isWellFormed() {
      const text = String(this);
      return wellFormed(text) === text;
    },
    toWellFormed() {
      return wellFormed(String(this));
    },
  });

  // JSON with half surrogate pairs, which goja's parser replaces: each becomes a mark and four digits on the way through it.
  const half = /\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|[^])/g;
  const escapeHalves = (text) => {
    let out = "";
    for (let c of text) out += c.length === 1 && c >= "\ud800" && c <= "\udfff" ? "\\u" + c.charCodeAt(0).toString(16) : c;
    return out;
  };
  host.parseHalves = (parse, text, reviver) => {
    let mark = 0xe000;
    while (text.includes(String.fromCharCode(mark)) || text.includes("\\u" + mark.toString(16))) mark++;
    mark = String.fromCharCode(mark);
    if (wellFormed(text) !== text) text = escapeHalves(text);
    const marked = text.replace(half, (found, pair, escaped) => (escaped ? mark + escaped : found));
    const restored = (s) => {
      let out = "";
      for (let i = 0; i < s.length; i++) {
        if (s[i] !== mark) out += s[i];
        else {
          out += String.fromCharCode(parseInt(s.slice(i + 1, i + 5), 16));
          i += 4;
        }
      }
      return out;
    };
    const restore = (value) => {
      if (typeof value === "string") return value.includes(mark) ? restored(value) : value;
      if (Array.isArray(value)) return value.map(restore);
      if (typeof value !== "object" || value === null) return value;
      const out = {};
      for (const key of Object.keys(value)) {
        Object.defineProperty(out, restore(key), { value: restore(value[key]), writable: true, enumerable: true, configurable: true });
      }
      return out;
    };
    const revive = (holder, key) => {
      const value = holder[key];
      if (typeof value === "object" && value !== null) {
        for (const k of Object.keys(value)) {
          const next = revive(value, k);
          if (next === undefined) delete value[k];
          else value[k] = next;
        }
      }
      return apply(reviver, holder, [key, value]);
    };
    const value = restore(parse(marked));
    return typeof reviver === "function" ? revive({ "": value }, "") : value;
  };

  // \p{…} of expressions made while code runs; those of literals were expanded by the compiler.
  const Native = RegExp;
  const Wrapped = {
    RegExp: function (pattern, flags) {
      if (new.target === undefined && flags === undefined && pattern instanceof Native) return pattern;
      if (flags !== undefined && String(flags).includes("u")) {
        pattern = host.expandProperties(pattern instanceof Native ? pattern.source : String(pattern), String(flags));
      }
      return construct(Native, [pattern, flags], new.target === undefined || new.target === Wrapped ? Native : new.target);
    },
  }.RegExp;
  Object.setPrototypeOf(Wrapped, Native);
  Wrapped.prototype = Native.prototype;
  // goja's fast ways are for its own constructor alone.
  Object.defineProperty(Wrapped, Symbol.species, {
    get() {
      return this === Wrapped ? Native : this;
    },
    configurable: true,
  });
  define(Native.prototype, "constructor", Wrapped);
  define(globalThis, "RegExp", Wrapped);
  methods(Wrapped, {
    escape(text) {
      if (typeof text !== "string") throw new TypeError("RegExp.escape takes a string");
      const hex = (c) => "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0");
      return text
        .replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
        .replace(/[,\-=<>#&!%:;@~'`"\s]/g, (c) => (c.charCodeAt(0) > 0xff ? "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0") : hex(c)))
        .replace(/^[0-9a-zA-Z]/, hex);
    },
  });

  methods(Error, {
    // goja's stacks are made with the error; here an object gets that of a new one.
    captureStackTrace(object) {
      const { stack } = new Error();
      const at = stack.indexOf("\n");
      const head = object instanceof Error ? String(object) : "Error";
      define(object, "stack", head + (at < 0 ? "" : stack.slice(at)));
    },
  });
  if (!("stackTraceLimit" in Error)) Object.defineProperty(Error, "stackTraceLimit", { value: 10, writable: true, enumerable: true, configurable: true });

  methods(Math, {
    sumPrecise(items) {
      // Neumaier's sum, exact but for cancellations beyond twice a number's precision.
      let sum = -0;
      let rest = 0;
      for (const x of items) {
        if (typeof x !== "number") throw new TypeError("Math.sumPrecise takes numbers");
        const next = sum + x;
        if (Number.isFinite(next)) rest += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
        sum = next;
      }
      return rest === 0 || !Number.isFinite(sum) ? sum : sum + rest;
    },
  });

  // Formats of a language: US English in UTC without options; everything else is refused rather than wrong.
  const refuse = (what) => {
    throw new TypeError(`${what} is not supported: there is no Intl here, only en-US in UTC without options`);
  };
  const plain = (name, locales, options) => {
    const locale = Array.isArray(locales) ? locales[0] : locales;
    if (locale !== undefined && locale !== "en-US" && locale !== "en") refuse(`${name} for ${String(locale)}`);
    for (const key of Object.keys(options ?? {})) {
      if (options[key] !== undefined && !(key === "timeZone" && options[key] === "UTC")) refuse(`${name} with ${key}`);
    }
  };
  const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
  define(Number.prototype, "toLocaleString", function toLocaleString(locales, options) {
    plain("toLocaleString", locales, options);
    const x = Number(this);
    if (Number.isNaN(x)) return "NaN";
    if (!Number.isFinite(x)) return x < 0 ? "-∞" : "∞";
    if (Math.abs(x) >= 1e21) refuse("toLocaleString of so large a number");
    // By the shortest decimal digits, as ICU rounds; toFixed takes the binary number's.
    const [integer, decimals = ""] = Math.abs(x) < 1e-6 ? ["0"] : String(Math.abs(x)).split(".");
    const thousandths = (BigInt(integer + decimals.slice(0, 3).padEnd(3, "0")) + (decimals[3] >= "5" ? 1n : 0n)).toString().padStart(4, "0");
    const whole = thousandths.slice(0, -3);
    const rest = thousandths.slice(-3).replace(/0+$/, "");
    return (x < 0 || Object.is(x, -0) ? "-" : "") + grouped(whole) + (rest && "." + rest);
  });
  define(BigInt.prototype, "toLocaleString", function toLocaleString(locales, options) {
    plain("toLocaleString", locales, options);
    const text = this.toString();
    return text[0] === "-" ? "-" + grouped(text.slice(1)) : grouped(text);
  });
  const two = (n) => String(n).padStart(2, "0");
  const dateText = (d) => `${d.getUTCMonth() + 1}/${d.getUTCDate()}/${d.getUTCFullYear()}`;
  const timeText = (d) => `${d.getUTCHours() % 12 || 12}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} ${d.getUTCHours() < 12 ? "AM" : "PM"}`;
  for (const [name, text] of [["toLocaleDateString", dateText], ["toLocaleTimeString", timeText], ["toLocaleString", (d) => dateText(d) + ", " + timeText(d)]]) {
    const method = {
      [name](locales, options) {
        plain(name, locales, options);
        return Number.isNaN(this.getTime()) ? "Invalid Date" : text(this);
      },
    };
    define(Date.prototype, name, method[name]);
  }
  const compare = String.prototype.localeCompare;
  define(String.prototype, "localeCompare", function localeCompare(that, locales, options) {
    for (const key of Object.keys(options ?? {})) {
      if (options[key] !== undefined && key !== "numeric") refuse(`localeCompare with ${key}`);
    }
    if (!options?.numeric) return apply(compare, this, [that]);
    const a = String(this).match(/\d+|\D+/g) ?? [];
    const b = String(that).match(/\d+|\D+/g) ?? [];
    for (let i = 0; i < a.length && i < b.length; i++) {
      const x = a[i].replace(/^0+(?=\d)/, "");
      const y = b[i].replace(/^0+(?=\d)/, "");
      const numbers = /^\d/.test(x) && /^\d/.test(y);
      const order = (numbers && x.length - y.length) || apply(compare, x, [y]);
      if (order !== 0) return Math.sign(order);
    }
    return Math.sign(a.length - b.length);
  });

  // Iterator and its helpers.
  const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  const callable = (f) => {
    if (typeof f !== "function") throw new TypeError(`${String(f)} is not a function`);
    return f;
  };
  const count = (n) => {
    const i = Number(n);
    if (Number.isNaN(i) || i < 0) throw new RangeError(`${String(n)} must be positive`);
    return Math.trunc(i);
  };
  const isObject = (x) => (typeof x === "object" && x !== null) || typeof x === "function";
  const receiver = (it) => {
    if (!isObject(it)) throw new TypeError("Iterator helper called on a non-object");
    return { it, next: it.next };
  };
  const step = (s) => {
    const result = apply(s.next, s.it, []);
    if (!isObject(result)) throw new TypeError(`Iterator result ${String(result)} is not an object`);
    return result;
  };
  const close = (s) => s.it.return?.();
  // Closes the underlying iterator when f throws, or the helper is left early.
  const helper = (s, body) => {
    const generator = body();
    const HelperPrototype = helper.prototype_ ??= Object.create(IteratorPrototype, {
      next: { value: function next() { return this[inner].next(); }, writable: true, configurable: true },
      return: {
        value: function () {
          const { generator, s, started } = this[state];
          if (!started.yes) close(s);
          return generator.return();
        },
        writable: true, configurable: true,
      },
      [Symbol.toStringTag]: { value: "Iterator Helper", configurable: true },
    });
    const started = { yes: false };
    const out = Object.create(HelperPrototype);
    Object.defineProperty(out, state, { value: { generator, s, started } });
    Object.defineProperty(out, inner, { value: { next: () => { started.yes = true; return generator.next(); } } });
    return out;
  };
  const state = Symbol("state");
  const inner = Symbol("inner");
  const each = (s, visit) =>
    helper(s, function* () {
      let done = false;
      try {
        for (let i = 0; ; i++) {
          done = true; // what next throws closes nothing
          const result = step(s);
          if (result.done) return;
          done = false;
          const end = yield* visit(result.value, i);
          if (end === true) return;
        }
      } finally {
        if (!done) close(s);
      }
    });
  const run = (it, f, visit) => {
    const s = receiver(it);
    callable(f);
    for (let i = 0; ; i++) {
      const result = step(s);
      if (result.done) return undefined;
      let found;
      try {
        found = visit(result.value, i);
      } catch (e) {
        try {
          close(s);
        } catch {
          // what the function threw counts
        }
        throw e;
      }
      if (found !== undefined) {
        close(s);
        return found;
      }
    }
  };
  const iterate = (value, strings) => {
    if (!isObject(value) && !(strings && typeof value === "string")) throw new TypeError(`${String(value)} is not an object`);
    const make = value[Symbol.iterator];
    return receiver(make == null ? value : apply(make, value, []));
  };
  methods(IteratorPrototype, {
    map(f) {
      callable(f);
      return each(receiver(this), function* (value, i) {
        yield f(value, i);
      });
    },
    filter(f) {
      callable(f);
      return each(receiver(this), function* (value, i) {
        if (f(value, i)) yield value;
      });
    },
    flatMap(f) {
      callable(f);
      return each(receiver(this), function* (value, i) {
        const from = iterate(f(value, i), false);
        yield* { [Symbol.iterator]: () => from.it };
      });
    },
    take(n) {
      const limit = count(n);
      const s = receiver(this);
      return helper(s, function* () {
        let done = false;
        try {
          for (let i = 0; i < limit; i++) {
            done = true;
            const result = step(s);
            if (result.done) return;
            done = false;
            yield result.value;
          }
        } finally {
          if (!done) close(s);
        }
      });
    },
    drop(n) {
      const skip = count(n);
      return each(receiver(this), function* (value, i) {
        if (i >= skip) yield value;
      });
    },
    toArray() {
      const out = [];
      const s = receiver(this);
      for (let r = step(s); !r.done; r = step(s)) out.push(r.value);
      return out;
    },
    forEach(f) {
      run(this, f, (value, i) => void f(value, i));
    },
    some(f) {
      return run(this, f, (value, i) => (f(value, i) ? true : undefined)) ?? false;
    },
    every(f) {
      return run(this, f, (value, i) => (f(value, i) ? undefined : false)) ?? true;
    },
    find(f) {
      return run(this, f, (value, i) => (f(value, i) ? [value] : undefined))?.[0];
    },
    reduce(f, ...initial) {
      let [total] = initial;
      let first = initial.length === 0;
      run(this, f, (value, i) => {
        total = first ? value : f(total, value, i);
        first = false;
      });
      if (first) throw new TypeError("Reduce of empty iterator with no initial value");
      return total;
    },
  });
  if (!globalThis.Iterator) {
    function Iterator() {
      if (new.target === undefined || new.target === Iterator) throw new TypeError("Abstract class Iterator not directly constructable");
    }
    Iterator.prototype = IteratorPrototype;
    methods(Iterator, {
      from(value) {
        const s = iterate(value, true);
        if (s.it instanceof Iterator) return s.it;
        return Object.create(wrapPrototype, { [inner]: { value: s } });
      },
    });
    const wrapPrototype = Object.create(IteratorPrototype, {
      next: { value: function next() { return apply(this[inner].next, this[inner].it, []); }, writable: true, configurable: true },
      return: { value: function () { return this[inner].it.return?.() ?? { value: undefined, done: true }; }, writable: true, configurable: true },
    });
    define(IteratorPrototype, "constructor", Iterator);
    define(globalThis, "Iterator", Iterator);
  }

  const stacks = () => {
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
    const suppressed = (error, before) =>
      before === undefined
        ? { error }
        : { error: Object.assign(new Error("An error was suppressed during disposal"), { name: "SuppressedError", error, suppressed: before.error }) };
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
    return { Sync, Async };
  };
  let made;
  if (!globalThis.DisposableStack) {
    lazily("DisposableStack", () => (made ??= stacks()).Sync);
    lazily("AsyncDisposableStack", () => (made ??= stacks()).Async);
  }
})
