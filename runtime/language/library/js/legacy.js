// What the language's Annex B has on all objects.
(function () {
  "use strict";
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const object = (value) => {
    if (value === undefined || value === null) throw new TypeError("Cannot convert undefined or null to object");
    return Object(value);
  };
  const toKey = (key) => (typeof key === "symbol" ? key : `${key}`);
  const expected = (name, f) => {
    if (typeof f !== "function") throw new TypeError(`Object.prototype.${name}: Expecting function`);
  };
  const lookup = (of, key, half) => {
    key = toKey(key);
    for (let at = of; at !== null; at = getPrototypeOf(at)) {
      const property = getOwnPropertyDescriptor(at, key);
      if (property !== undefined) return property[half];
    }
    return undefined;
  };
  return {
    __defineGetter__(key, get) {
      const of = object(this);
      expected("__defineGetter__", get);
      defineProperty(of, toKey(key), { __proto__: null, get, enumerable: true, configurable: true });
    },
    __defineSetter__(key, set) {
      const of = object(this);
      expected("__defineSetter__", set);
      defineProperty(of, toKey(key), { __proto__: null, set, enumerable: true, configurable: true });
    },
    __lookupGetter__(key) {
      return lookup(object(this), key, "get");
    },
    __lookupSetter__(key) {
      return lookup(object(this), key, "set");
    },
  };
})
