// Headers.
(function () {
  "use strict";
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const isObject = (v) => typeof v === "object" && v !== null;

  class Headers {
    #map = new Map(); // lower-case name → values
    constructor(init) {
      if (init === undefined || init === null) return;
      if (!isObject(init)) throw new TypeError("Headers can't be made of a " + typeof init);
      if (typeof init[Symbol.iterator] === "function") {
        for (const pair of init) {
          const [name, value, ...more] = pair;
          if (more.length || value === undefined) throw new TypeError("Each header must be a [name, value] pair");
          this.append(name, value);
        }
      } else {
        for (const name of Object.keys(init)) this.append(name, init[name]);
      }
    }
    #name(name) {
      name = String(name);
      if (!token.test(name)) throw new TypeError(`${JSON.stringify(name)} is an invalid header name`);
      return name.toLowerCase();
    }
    #value(value) {
      value = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
      if (/[\0\r\n]|[^\0-\xff]/.test(value)) throw new TypeError(`${JSON.stringify(value)} is an invalid header value`);
      return value;
    }
    append(name, value) {
      name = this.#name(name);
      value = this.#value(value);
      this.#map.set(name, [...(this.#map.get(name) ?? []), value]);
    }
    set(name, value) {
      this.#map.set(this.#name(name), [this.#value(value)]);
    }
    get(name) {
      return this.#map.get(this.#name(name))?.join(", ") ?? null;
    }
    has(name) {
      return this.#map.has(this.#name(name));
    }
    delete(name) {
      this.#map.delete(this.#name(name));
    }
    getSetCookie() {
      return [...(this.#map.get("set-cookie") ?? [])];
    }
    *entries() {
      for (const name of [...this.#map.keys()].sort()) {
        if (name === "set-cookie") for (const value of this.getSetCookie()) yield [name, value];
        else yield [name, this.get(name)];
      }
    }
    *keys() {
      for (const [name] of this.entries()) yield name;
    }
    *values() {
      for (const [, value] of this.entries()) yield value;
    }
    forEach(callback, self) {
      for (const [name, value] of this.entries()) callback.call(self, value, name, this);
    }
    [Symbol.iterator]() {
      return this.entries();
    }
  }
  Object.defineProperty(Headers.prototype, Symbol.toStringTag, { value: "Headers", configurable: true });
  return { Headers, internal: Headers };
})
