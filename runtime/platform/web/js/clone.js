// structuredClone.
(function () {
  "use strict";
  const refuse = (value) => {
    throw new DOMException(`${typeof value === "symbol" ? String(value) : value} could not be cloned.`, "DataCloneError");
  };
  const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  function clone(value, seen) {
    if (typeof value === "function" || typeof value === "symbol") refuse(value);
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    if (Array.isArray(value)) return properties(value, keep(new Array(value.length)), seen);
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof Map) {
      const copy = keep(new Map());
      for (const [k, v] of value) copy.set(clone(k, seen), clone(v, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set());
      for (const v of value) copy.add(clone(v, seen));
      return copy;
    }
    if (value instanceof ArrayBuffer) return keep(value.slice(0));
    if (ArrayBuffer.isView(value)) {
      const buffer = clone(value.buffer, seen);
      return keep(
        value instanceof DataView
          ? new DataView(buffer, value.byteOffset, value.byteLength)
          : new globalThis[kind](buffer, value.byteOffset, value.length)
      );
    }
    if (value instanceof Error) {
      const copy = keep(new (errors[value.name] ?? Error)(value.message));
      const hidden = (name, value) => Object.defineProperty(copy, name, { value, writable: true, configurable: true, enumerable: false });
      hidden("stack", value.stack);
      if ("cause" in value) hidden("cause", clone(value.cause, seen));
      return copy;
    }
    if (value instanceof Boolean || value instanceof Number || value instanceof String) return keep(Object(value.valueOf()));
    if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) refuse(`#<${kind}>`);
    return properties(value, keep({}), seen);
  }
  function properties(from, to, seen) {
    for (const key of Object.keys(from)) to[key] = clone(from[key], seen);
    return to;
  }
  return {
    structuredClone: function structuredClone(value) {
      if (arguments.length === 0) throw fault(TypeError, "ERR_MISSING_ARGS", "The value argument must be specified");
      return clone(value, new Map());
    },
  };
})
