// Array's methods that flatten, which goja does in Go, as deep and as long as it takes.
(function (host) {
  "use strict";
  const { isArray, checkLength, former } = host;
  // What goja makes an array of for a method's result, which a subclass may have changed.
  const create = (array, length) => {
    if (!isArray(array)) return [];
    let Class = array.constructor;
    if (Class !== null && (typeof Class === "object" || typeof Class === "function")) Class = Class[Symbol.species];
    return Class == null || Class === Array ? [] : new Class(length);
  };
  const define = Object.defineProperty;
  const add = (to, at, value) => define(to, at, { value, writable: true, enumerable: true, configurable: true });
  // Without a call for each level: what nests deep has no other limit than memory.
  const flatten = (to, source, depth) => {
    checkLength(source);
    let at = 0;
    let level = { source, length: Math.min(Math.trunc(source.length) || 0, 2 ** 53 - 1), i: 0, up: undefined };
    let left = depth;
    while (level !== undefined) {
      if (level.i >= level.length) {
        level = level.up;
        left++;
        continue;
      }
      const i = level.i++;
      if (!(i in level.source)) continue;
      const value = level.source[i];
      if (left > 0 && isArray(value)) {
        checkLength(value);
        level = { source: value, length: value.length, i: 0, up: level };
        left--;
      } else add(to, at++, value);
    }
    return to;
  };
  const joining = [];
  return {
    toLocaleString(locales, options) {
      const source = Object(this);
      checkLength(source);
      if (joining.includes(source)) return "";
      joining.push(source);
      try {
        const parts = [];
        for (let i = 0, n = Math.trunc(source.length) || 0; i < n; i++) {
          const value = source[i];
          parts.push(value == null ? "" : String(former() ? value.toLocaleString() : value.toLocaleString(locales, options)));
        }
        return parts.join(",");
      } finally {
        joining.pop();
      }
    },
    flat(depth) {
      const source = Object(this);
      const levels = depth === undefined ? 1 : Math.trunc(Number(depth)) || 0;
      return flatten(create(source, 0), source, levels);
    },
    flatMap(f, thisArg) {
      const source = Object(this);
      checkLength(source);
      const length = Math.trunc(source.length) || 0;
      if (typeof f !== "function") throw new TypeError("flatMap mapper function is not callable");
      const to = create(source, 0);
      let at = 0;
      for (let i = 0; i < length; i++) {
        if (!(i in source)) continue;
        const value = Reflect.apply(f, thisArg, [source[i], i, source]);
        if (!isArray(value)) {
          add(to, at++, value);
          continue;
        }
        checkLength(value);
        for (let k = 0, n = value.length; k < n; k++) if (k in value) add(to, at++, value[k]);
      }
      return to;
    },
  };
})
