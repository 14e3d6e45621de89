// Headers.
(function () {
  "use strict";
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const isObject = (v) => typeof v === "object" && v !== null;

  function byteString(value) {
    value = String(value);
    const at = value.search(/[^\0-\xff]/);
    if (at >= 0) throw new TypeError(`Cannot convert argument to a ByteString because the character at index ${at} has a value of ${value.charCodeAt(at)} which is greater than 255.`);
    return value;
  }

  class Headers {
    #map = new Map(); // lower-case name → values
    #fixed = false;
    /** Headers that nobody may change. */
    static fix(headers) {
      headers.#fixed = true;
      return headers;
    }
    constructor(init) {
      if (init === undefined) return;
      if (!isObject(init)) throw new TypeError("Headers constructor: Argument 1 could not be converted to one of: sequence<sequence<ByteString>>, record<ByteString, ByteString>.");
      if (typeof init[Symbol.iterator] === "function") {
        for (const pair of init) {
          const both = [...pair];
          if (both.length !== 2) throw new TypeError(`Headers constructor: expected name/value pair to be length 2, found ${both.length}.`);
          this.append(both[0], both[1]);
        }
      } else {
        for (const name of Object.keys(init)) this.append(name, init[name]);
      }
    }
    #name(name, method) {
      name = byteString(name);
      if (!token.test(name)) throw new TypeError(`Headers.${method}: "${name}" is an invalid header name.`);
      return name.toLowerCase();
    }
    #value(value, method) {
      value = byteString(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
      if (/[\0\r\n]/.test(value)) throw new TypeError(`Headers.${method}: "${value}" is an invalid header value.`);
      return value;
    }
    #changes() {
      if (this.#fixed) throw new TypeError("immutable");
    }
    append(name, value) {
      required("Headers.append", 2, arguments.length);
      name = this.#name(name, "append");
      value = this.#value(value, "append");
      this.#changes();
      this.#map.set(name, [...(this.#map.get(name) ?? []), value]);
    }
    set(name, value) {
      required("Headers.set", 2, arguments.length);
      name = this.#name(name, "set");
      value = this.#value(value, "set");
      this.#changes();
      this.#map.set(name, [value]);
    }
    get(name) {
      required("Headers.get", 1, arguments.length);
      return this.#map.get(this.#name(name, "get"))?.join(", ") ?? null;
    }
    has(name) {
      required("Headers.has", 1, arguments.length);
      return this.#map.has(this.#name(name, "has"));
    }
    delete(name) {
      required("Headers.delete", 1, arguments.length);
      name = this.#name(name, "delete");
      this.#changes();
      this.#map.delete(name);
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
      required("Headers.forEach", 1, arguments.length);
      if (typeof callback !== "function") throw new TypeError("Failed to execute 'forEach' on 'Headers': parameter 1 is not of type 'Function'.");
      for (const [name, value] of this.entries()) callback.call(self, value, name, this);
    }
    [Symbol.iterator]() {
      return this.entries();
    }
  }
  const { fix } = Headers;
  delete Headers.fix;
  Object.defineProperty(Headers.prototype, Symbol.toStringTag, { value: "Headers", configurable: true });
  return { Headers, internal: { Headers, fix, byteString } };
})
