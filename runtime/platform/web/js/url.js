// URL and URLSearchParams; Go parses and sets (see url.go).
(function (host) {
  "use strict";
  const decode = (text) => host.formDecode(text);
  const encode = (pairs) => host.formEncode(pairs.map(([k, v]) => [k, v]));

  class URLSearchParams {
    #pairs = [];
    #changed = null;
    constructor(init = "") {
      if (typeof init === "function" && typeof init.of === "string") {
        // from URL, which hands in its query and is told of changes
        this.#pairs = decode(init.of);
        this.#changed = init;
      } else if (typeof init === "object" && init !== null && typeof init[Symbol.iterator] === "function") {
        for (const pair of init) {
          const [k, v, ...more] = pair;
          if (more.length || [...pair].length !== 2) throw new TypeError("Each query pair must be an iterable [name, value] tuple");
          this.#pairs.push([String(k), String(v)]);
        }
      } else if (typeof init === "object" && init !== null) {
        for (const k of Object.keys(init)) this.#pairs.push([k, String(init[k])]);
      } else {
        init = String(init);
        this.#pairs = decode(init.startsWith("?") ? init.slice(1) : init);
      }
    }
    #change(pairs) {
      this.#pairs = pairs;
      this.#changed?.(this.toString());
    }
    /** For URL alone: its query was set. */
    static reset(params, query) {
      params.#pairs = decode(query);
    }
    get size() {
      return this.#pairs.length;
    }
    append(name, value) {
      this.#change([...this.#pairs, [String(name), String(value)]]);
    }
    delete(name, value) {
      this.#change(this.#pairs.filter(([k, v]) => k !== String(name) || (value !== undefined && v !== String(value))));
    }
    get(name) {
      return this.#pairs.find(([k]) => k === String(name))?.[1] ?? null;
    }
    getAll(name) {
      return this.#pairs.filter(([k]) => k === String(name)).map(([, v]) => v);
    }
    has(name, value) {
      return this.#pairs.some(([k, v]) => k === String(name) && (value === undefined || v === String(value)));
    }
    set(name, value) {
      name = String(name);
      const at = this.#pairs.findIndex(([k]) => k === name);
      const pairs = this.#pairs.filter(([k], i) => k !== name || i === at);
      if (at < 0) pairs.push([name, String(value)]);
      else pairs[at] = [name, String(value)];
      this.#change(pairs);
    }
    sort() {
      this.#change([...this.#pairs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
    }
    forEach(callback, self) {
      for (const [k, v] of this.#pairs) callback.call(self, v, k, this);
    }
    *entries() {
      for (const [k, v] of this.#pairs) yield [k, v];
    }
    *keys() {
      for (const [k] of this.#pairs) yield k;
    }
    *values() {
      for (const [, v] of this.#pairs) yield v;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return encode(this.#pairs);
    }
  }
  const { reset } = URLSearchParams;
  delete URLSearchParams.reset;

  class URL {
    #parts;
    #params;
    constructor(url, base) {
      this.#parts = base === undefined ? host.parse(String(url)) : host.parse(String(url), String(base));
      if (!this.#parts) {
        const error = new TypeError("Invalid URL");
        error.code = "ERR_INVALID_URL";
        error.input = String(url);
        if (base !== undefined) error.base = String(base);
        throw error;
      }
    }
    static canParse(url, base) {
      return !!(base === undefined ? host.parse(String(url)) : host.parse(String(url), String(base)));
    }
    static parse(url, base) {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }
    static set(url, name, value) {
      const parts = host.set(url.#parts.href, name, String(value));
      if (!parts) throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL" });
      url.#parts = parts;
      if (url.#params && (name === "search" || name === "href")) reset(url.#params, parts.search.slice(1));
    }
    static get(url, name) {
      return url.#parts[name];
    }
    get searchParams() {
      if (!this.#params) {
        const changed = (query) => (this.#parts = host.set(this.#parts.href, "search", query));
        changed.of = this.#parts.search.slice(1);
        this.#params = new URLSearchParams(changed);
      }
      return this.#params;
    }
    toString() {
      return this.#parts.href;
    }
    toJSON() {
      return this.#parts.href;
    }
  }
  const { get, set } = URL;
  delete URL.get;
  delete URL.set;
  for (const name of ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash", "origin"]) {
    Object.defineProperty(URL.prototype, name, {
      get() {
        return get(this, name);
      },
      set: name === "origin" ? undefined : function (value) {
        set(this, name, value);
      },
      enumerable: true,
      configurable: true,
    });
  }
  for (const c of [URL, URLSearchParams]) {
    Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
  }
  return { URL, URLSearchParams };
})
