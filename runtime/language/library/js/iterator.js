// Iterator and its helpers.
(function (host) {
  "use strict";
  const { IteratorPrototype } = host;
  const { apply } = Reflect;
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
  const helpers = {
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
  };
  function Iterator() {
    if (new.target === undefined || new.target === Iterator) throw new TypeError("Abstract class Iterator not directly constructable");
  }
  Iterator.prototype = IteratorPrototype;
  const method = (value) => ({ value, writable: true, enumerable: false, configurable: true });
  const wrapPrototype = Object.create(IteratorPrototype, {
    next: method(function next() { return apply(this[inner].next, this[inner].it, []); }),
    return: method(function () { return this[inner].it.return?.() ?? { value: undefined, done: true }; }),
  });
  Object.freeze(wrapPrototype); // executions may share it
  Object.defineProperty(Iterator, "from", method({
    from(value) {
      const s = iterate(value, true);
      if (s.it instanceof Iterator) return s.it;
      return Object.create(wrapPrototype, { [inner]: { value: s } });
    },
  }.from));
  Object.defineProperty(Iterator, "concat", method({
    concat(...items) {
      const sources = items.map((item) => {
        if (!isObject(item)) throw new TypeError(`${String(item)} is not an object`);
        const open = item[Symbol.iterator];
        callable(open);
        return { [Symbol.iterator]: () => apply(open, item, []) };
      });
      return (function* () {
        for (const source of sources) yield* source;
      })();
    },
  }.concat));
  Object.defineProperty(IteratorPrototype, "constructor", method(Iterator));
  return { Iterator, ...helpers };
})
