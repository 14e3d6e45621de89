// assert, as far as Node's can be had without reading the source of its caller.
(function () {
  "use strict";
  const show = (value, depth = 0, above = []) => {
    switch (typeof value) {
      case "string":
        return `'${value.replace(/[\\']/g, "\\$&").replace(/\n/g, "\\n")}'`;
      case "bigint":
        return `${value}n`;
      case "number":
        return Object.is(value, -0) ? "-0" : String(value);
      case "function":
        return `[Function: ${value.name || "(anonymous)"}]`;
      case "object":
        break;
      default:
        return String(value);
    }
    if (value === null) return "null";
    if (above.includes(value)) return "[Circular]";
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return String(value);
    if (value instanceof Error) return `[${String(value)}]`;
    const name = Object.getPrototypeOf(value)?.constructor?.name ?? "[Object: null prototype]";
    if (depth > 4) return Array.isArray(value) ? "[Array]" : `[${name}]`;
    const within = [...above, value];
    const inner = (v) => show(v, depth + 1, within);
    const list = (items, open, close) => (items.length ? `${open} ${items.join(", ")} ${close}` : open + close);
    if (Array.isArray(value)) return list(value.map(inner), "[", "]");
    if (value instanceof Map) return `Map(${value.size}) ` + list([...value].map(([k, v]) => `${inner(k)} => ${inner(v)}`), "{", "}");
    if (value instanceof Set) return `Set(${value.size}) ` + list([...value].map(inner), "{", "}");
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return `${name}(${value.length}) ` + list([...value].map(inner), "[", "]");
    const key = (k) => (typeof k === "symbol" ? `[${String(k)}]` : /^[A-Za-z_$][\w$]*$/.test(k) ? k : show(k));
    const text = list(ownKeys(value).map((k) => `${key(k)}: ${inner(value[k])}`), "{", "}");
    return name === "Object" ? text : `${name} ${text}`;
  };
  const ownKeys = (o) => Reflect.ownKeys(o).filter((k) => Object.prototype.propertyIsEnumerable.call(o, k));
  const tag = (o) => Object.prototype.toString.call(o);

  const same = (a, b, strict, seen) => {
    if (a === b) return strict ? a !== 0 || Object.is(a, b) : true;
    const objects = typeof a === "object" && a !== null && typeof b === "object" && b !== null;
    if (!objects) {
      if (typeof a === "number" && typeof b === "number" && a !== a && b !== b) return true;
      // eslint-disable-next-line eqeqeq -- loose is what was asked for
      return !strict && (typeof a !== "object" || a === null) && (typeof b !== "object" || b === null) && a == b;
    }
    if (tag(a) !== tag(b)) return false;
    if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (Array.isArray(a) !== Array.isArray(b) || (Array.isArray(a) && a.length !== b.length)) return false;
    if (a instanceof Date && b instanceof Date && !Object.is(a.getTime(), b.getTime())) return false;
    if (a instanceof RegExp && b instanceof RegExp && (String(a) !== String(b) || a.lastIndex !== b.lastIndex)) return false;
    if (a instanceof Error && (a.message !== b.message || a.name !== b.name || !same(a.cause, b.cause, strict, seen))) return false;
    for (const Boxed of [Number, String, Boolean, BigInt, Symbol]) {
      if (a instanceof Boxed && !Object.is(a.valueOf(), b.valueOf())) return false;
    }
    if (a instanceof ArrayBuffer) return same(new Uint8Array(a), new Uint8Array(b), strict, seen);
    if (seen.some(([x, y]) => x === a && y === b)) return true;
    seen = [...seen, [a, b]];
    if (a instanceof Set || a instanceof Map) {
      if (a.size !== b.size) return false;
      const left = [...b];
      for (const x of a) {
        const i = left.findIndex((y) => same(x, y, strict, seen));
        if (i < 0) return false;
        left.splice(i, 1);
      }
    }
    const keys = strict ? ownKeys(a) : Object.keys(a);
    const others = strict ? ownKeys(b) : Object.keys(b);
    if (keys.length !== others.length) return false;
    return keys.every((k) => Object.prototype.propertyIsEnumerable.call(b, k) && same(a[k], b[k], strict, seen));
  };

  class AssertionError extends Error {
    constructor(options) {
      if (typeof options !== "object" || options === null) {
        throw new TypeError('The "options" argument must be of type object.');
      }
      const { message, actual, expected, operator } = options;
      super(message === undefined ? `${show(actual)} ${operator} ${show(expected)}` : String(message));
      this.generatedMessage = message === undefined;
      this.code = "ERR_ASSERTION";
      this.actual = actual;
      this.expected = expected;
      this.operator = operator;
    }
    toString() {
      return `${this.name} [${this.code}]: ${this.message}`;
    }
  }
  Object.defineProperty(AssertionError.prototype, "name", { value: "AssertionError", writable: true, configurable: true });

  const fails = (message, generated, actual, expected, operator) => {
    if (message instanceof Error) throw message;
    const said = words?.(operator, actual, expected, message);
    const error = new AssertionError({ message: said ?? message ?? generated, actual, expected, operator });
    error.generatedMessage = message === undefined || message === null;
    if (words && /throw|reject/i.test(operator) && expected === undefined) error.generatedMessage = false;
    throw error;
  };
  let words;
  class Comparison {}
  const two = (count) => {
    if (count >= 2) return;
    throw Object.assign(new TypeError('The "actual" and "expected" arguments must be specified'), { code: "ERR_MISSING_ARGS" });
  };

  function ok(...args) {
    const [value, message] = args;
    if (value) return;
    fails(message, args.length ? `${show(value)} == true` : "No value argument passed to `assert.ok()`", value, true, "==");
  }
  function assert(...args) {
    ok(...args);
  }
  const compare = (name, operator, holds, text) => {
    assert[name] = {
      [name](...args) {
        two(args.length);
        const [actual, expected, message] = args;
        if (!holds(actual, expected)) fails(message, text(show(actual), show(expected)), actual, expected, operator);
      },
    }[name];
  };
  // eslint-disable-next-line eqeqeq -- loose is what was asked for
  const loose = (a, b) => a == b || (a !== a && b !== b);
  compare("equal", "==", loose, (a, b) => `${a} == ${b}`);
  compare("notEqual", "!=", (a, b) => !loose(a, b), (a, b) => `${a} != ${b}`);
  compare("strictEqual", "strictEqual", Object.is, (a, b) => `Expected values to be strictly equal:\n\n${a} !== ${b}\n`);
  compare("notStrictEqual", "notStrictEqual", (a, b) => !Object.is(a, b), (a) => `Expected "actual" to be strictly unequal to: ${a}`);
  const deep = (strict) => (a, b) => same(a, b, strict, []);
  compare("deepEqual", "deepEqual", deep(false), (a, b) => `Expected values to be loosely deep-equal:\n\n${a}\n\nshould loosely deep-equal\n\n${b}`);
  compare("deepStrictEqual", "deepStrictEqual", deep(true), (a, b) => `Expected values to be strictly deep-equal:\n\n${a}\n\nshould strictly deep-equal\n\n${b}`);
  compare("notDeepEqual", "notDeepEqual", (a, b) => !same(a, b, false, []), (a) => `Expected "actual" not to be loosely deep-equal to: ${a}`);
  compare("notDeepStrictEqual", "notDeepStrictEqual", (a, b) => !same(a, b, true, []), (a) => `Expected "actual" not to be strictly deep-equal to: ${a}`);

  const text = (name, matches, what) => {
    assert[name] = {
      [name](value, pattern, message) {
        if (!(pattern instanceof RegExp)) throw new TypeError('The "regexp" argument must be an instance of RegExp.');
        if (typeof value !== "string") fails(message, `The "string" argument must be of type string. Received ${show(value)}`, value, pattern, name);
        if (pattern.test(value) !== matches) fails(message, `${what} ${pattern}. Input:\n\n${show(value)}\n`, value, pattern, name);
      },
    }[name];
  };
  text("match", true, "The input did not match the regular expression");
  text("doesNotMatch", false, "The input was expected to not match the regular expression");

  // Whether what was thrown is what was expected: a class, an expression, a function that looks at it, or an object's properties.
  const expectError = (thrown, expected, message, operator) => {
    if (expected === undefined) return;
    if (typeof expected === "function") {
      if (expected.prototype !== undefined && thrown instanceof expected) return;
      if (Error.prototype.isPrototypeOf(expected.prototype) || expected === Error) {
        if (message !== undefined) fails(message, undefined, thrown, expected, operator);
        fails(undefined, `The error is expected to be an instance of "${expected.name}". Received "${thrown?.constructor?.name}"\n\nError message:\n\n${thrown?.message}`, thrown, expected, operator);
      }
      if (expected.call({}, thrown) === true) return;
      fails(message, `The ${expected.name ? `"${expected.name}" ` : ""}validation function is expected to return "true". Received ${show(false)}\n\nCaught error:\n\n${show(thrown)}`, thrown, expected, operator);
      return;
    }
    if (expected instanceof RegExp) {
      if (!expected.test(String(thrown))) {
        fails(message, `The input did not match the regular expression ${expected}. Input:\n\n${show(String(thrown))}\n`, thrown, expected, operator);
      }
      return;
    }
    const keys = Object.keys(expected);
    if (expected instanceof Error) keys.push("name", "message");
    if (words && keys.length === 0) {
      throw Object.assign(new TypeError(`The argument 'error' may not be an empty object. Received {}`), { code: "ERR_INVALID_ARG_VALUE" });
    }
    for (const key of keys) {
      const matches = expected[key] instanceof RegExp && typeof thrown?.[key] === "string" ? expected[key].test(thrown[key]) : same(thrown?.[key], expected[key], true, []);
      if (matches) continue;
      if (words && (message === undefined || message === null)) {
        const pick = (o) => Object.assign(new Comparison(), Object.fromEntries(keys.filter((k) => k in o).map((k) => [k, expected[k] instanceof RegExp && typeof thrown?.[k] === "string" && expected[k].test(thrown[k]) ? thrown[k] : o[k]])));
        const [a, b] = typeof thrown === "object" && thrown !== null ? [pick(thrown), pick(expected)] : [thrown, expected];
        fails(undefined, words("deepStrictEqual", a, b), thrown, expected, operator);
      }
      fails(message, `Expected values to be strictly deep-equal:\n\n${key}: ${show(thrown?.[key])}\n\nshould strictly deep-equal\n\n${key}: ${show(expected[key])}`, thrown, expected, operator);
    }
  };
  const split = (expected, message) => (typeof expected === "string" ? [undefined, expected] : [expected, message]);
  const callable = (f, name) => {
    if (typeof f !== "function") throw Object.assign(new TypeError(`The "${name}" argument must be of type function. Received ${show(f)}`), { code: "ERR_INVALID_ARG_TYPE" });
    return f;
  };
  const caught = (f) => {
    try {
      f();
    } catch (error) {
      return { error };
    }
    return undefined;
  };
  const rejection = async (what) => {
    const promise = typeof what === "function" ? what() : what;
    if (typeof promise?.then !== "function") throw new TypeError("Expected an instance of Promise to be returned");
    try {
      await promise;
    } catch (error) {
      return { error };
    }
    return undefined;
  };
  const missing = (found, kind, expected, message, operator) => {
    if (found) return;
    const name = typeof expected === "function" && expected.name ? ` (${expected.name})` : "";
    fails(undefined, `Missing expected ${kind}${name}${message ? `: ${message}` : "."}`, undefined, expected, operator);
  };
  const unwanted = (found, kind, expected, message, operator) => {
    if (!found) return;
    if (expected && !(expected instanceof RegExp ? expected.test(String(found.error)) : found.error instanceof expected)) throw found.error;
    fails(undefined, `Got unwanted ${kind}${message ? `: ${message}` : "."}\nActual message: "${found.error?.message}"`, found.error, expected, operator);
  };
  assert.throws = function throws(f, ...rest) {
    const [expected, message] = split(...rest);
    const found = caught(callable(f, "fn"));
    missing(found, "exception", expected, message, "throws");
    expectError(found.error, expected, message, "throws");
  };
  assert.doesNotThrow = function doesNotThrow(f, ...rest) {
    const [expected, message] = split(...rest);
    unwanted(caught(callable(f, "fn")), "exception", expected, message, "doesNotThrow");
  };
  assert.rejects = async function rejects(promise, ...rest) {
    const [expected, message] = split(...rest);
    const found = await rejection(promise);
    missing(found, "rejection", expected, message, "rejects");
    expectError(found.error, expected, message, "rejects");
  };
  assert.doesNotReject = async function doesNotReject(promise, ...rest) {
    const [expected, message] = split(...rest);
    unwanted(await rejection(promise), "rejection", expected, message, "doesNotReject");
  };
  assert.ok = ok;
  assert.fail = function fail(message = "Failed") {
    fails(message, undefined, undefined, undefined, "fail");
  };
  assert.ifError = function ifError(value) {
    if (value === null || value === undefined) return;
    const what = typeof value === "object" && typeof value.message === "string" ? value.message || value.constructor?.name : show(value);
    fails(undefined, `ifError got unwanted exception: ${what}`, value, null, "ifError");
  };
  assert.AssertionError = AssertionError;
  function strict(...args) {
    ok(...args);
  }
  Object.assign(strict, assert, {
    equal: assert.strictEqual,
    notEqual: assert.notStrictEqual,
    deepEqual: assert.deepStrictEqual,
    notDeepEqual: assert.notDeepStrictEqual,
  });
  strict.strict = strict;
  assert.strict = strict;
  // Who can show values as Node does says here how they differ: operator, values, the caller's words.
  const setWords = (f) => {
    words = f;
  };
  return { assert, setWords };
})
