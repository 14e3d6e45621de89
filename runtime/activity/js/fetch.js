// fetch, Headers, Request, Response, Blob. Bodies are whole, not streams; Go sends and receives (see fetch.go).
(function (host) {
  "use strict";
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const isObject = (v) => typeof v === "object" && v !== null;
  const empty = () => new ArrayBuffer(0);
  const copyOf = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

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

  class Blob {
    #bytes;
    #type;
    constructor(parts = [], options = {}) {
      const chunks = [...parts].map((p) => new Uint8Array(p instanceof Blob ? p.#bytes : bodyOf(p).bytes));
      const all = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
      chunks.reduce((at, c) => (all.set(c, at), at + c.length), 0);
      this.#bytes = all.buffer;
      this.#type = /^[\x20-\x7e]*$/.test(options.type ?? "") ? String(options.type ?? "").toLowerCase() : "";
    }
    get size() {
      return this.#bytes.byteLength;
    }
    get type() {
      return this.#type;
    }
    slice(start, end, type = "") {
      return new Blob([this.#bytes.slice(start, end)], { type });
    }
    async arrayBuffer() {
      return this.#bytes.slice(0);
    }
    async bytes() {
      return new Uint8Array(this.#bytes.slice(0));
    }
    async text() {
      return new TextDecoder().decode(this.#bytes);
    }
    static bytesOf(blob) {
      return blob.#bytes;
    }
  }
  const { bytesOf } = Blob;
  delete Blob.bytesOf;

  // What may be a body, as its bytes and the content type it brings along.
  function bodyOf(body) {
    if (body instanceof Blob) return { bytes: bytesOf(body), type: body.type };
    if (body instanceof ArrayBuffer) return { bytes: body.slice(0), type: "" };
    if (ArrayBuffer.isView(body)) return { bytes: copyOf(body), type: "" };
    if (body instanceof URLSearchParams) {
      return { bytes: copyOf(new TextEncoder().encode(String(body))), type: "application/x-www-form-urlencoded;charset=UTF-8" };
    }
    return { bytes: copyOf(new TextEncoder().encode(String(body))), type: "text/plain;charset=UTF-8" };
  }

  // The body half of Request and Response. read gives a promise of the bytes, once.
  class Body {
    #read = null;
    #used = false;
    static init(target, read) {
      target.#read = read;
    }
    static take(target) {
      const read = target.#read;
      if (target.#used) throw new TypeError("Body is unusable: Body has already been read");
      if (read) target.#used = true;
      return read ? read() : Promise.resolve(empty());
    }
    static split(target) {
      if (target.#used) throw new TypeError("Body has already been read");
      const read = target.#read;
      if (!read) return null;
      let bytes;
      const once = () => (bytes ??= read()).then((b) => b.slice(0));
      target.#read = once;
      return once;
    }
    get bodyUsed() {
      return this.#used;
    }
    get body() {
      return null; // no streams yet
    }
    async arrayBuffer() {
      return take(this);
    }
    async bytes() {
      return new Uint8Array(await take(this));
    }
    async text() {
      return new TextDecoder().decode(await take(this));
    }
    async json() {
      return JSON.parse(await this.text());
    }
    async blob() {
      return new Blob([await take(this)], { type: this.headers.get("content-type") ?? "" });
    }
  }
  const { init: initBody, take, split } = Body;
  for (const name of ["init", "take", "split"]) delete Body[name];

  const standard = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
  class Request extends Body {
    constructor(input, init = {}) {
      super();
      const from = input instanceof Request ? input : null;
      const url = new URL(from ? from.url : String(input));
      if (url.username || url.password) throw new TypeError("Request cannot be constructed from a URL that includes credentials: " + url);
      let method = String(init.method ?? from?.method ?? "GET");
      if (!token.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
      if (/^(connect|trace|track)$/i.test(method)) throw new TypeError(`'${method}' HTTP method is unsupported.`);
      if (standard.includes(method.toUpperCase())) method = method.toUpperCase();
      const redirect = init.redirect ?? from?.redirect ?? "follow";
      if (!["follow", "error", "manual"].includes(redirect)) throw new TypeError(`'${redirect}' is not a valid redirect mode`);
      const headers = new Headers(init.headers ?? from?.headers);
      let read = null;
      if (init.body !== undefined && init.body !== null) {
        const body = bodyOf(init.body);
        if (body.type && !headers.has("content-type")) headers.set("content-type", body.type);
        read = async () => body.bytes;
      } else if (from) {
        read = split(from);
      }
      if (read && (method === "GET" || method === "HEAD")) throw new TypeError("Request with GET/HEAD method cannot have body.");
      initBody(this, read);
      const values = { url: url.href, method, redirect, headers, signal: init.signal ?? from?.signal ?? new AbortController().signal };
      for (const name of Object.keys(values)) Object.defineProperty(this, name, { value: values[name], enumerable: true });
    }
    clone() {
      return new Request(this);
    }
  }

  class Response extends Body {
    constructor(body = null, init = {}) {
      super();
      const status = init.status === undefined ? 200 : Number(init.status);
      if (!(status >= 200 && status <= 599)) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
      const headers = new Headers(init.headers);
      if (body !== null && body !== undefined) {
        if ([101, 204, 205, 304].includes(status)) throw new TypeError(`Response with status ${status} can't have a body`);
        const { bytes, type } = bodyOf(body);
        if (type && !headers.has("content-type")) headers.set("content-type", type);
        initBody(this, async () => bytes);
      }
      describe(this, { status, statusText: String(init.statusText ?? ""), headers, url: "", redirected: false, type: "default" });
    }
    static json(data, init = {}) {
      const text = JSON.stringify(data);
      if (text === undefined) throw new TypeError("The data is not JSON serializable");
      const headers = new Headers(init.headers);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return new Response(text, { ...init, headers });
    }
    static error() {
      return describe(blank(), { status: 0, statusText: "", headers: new Headers(), url: "", redirected: false, type: "error" });
    }
    static redirect(url, status = 302) {
      return new Response(null, { status, headers: { location: new URL(String(url)).href } });
    }
    clone() {
      const read = split(this);
      const copy = new Response();
      initBody(copy, read);
      return describe(copy, { ...details.get(this), headers: new Headers(this.headers) });
    }
  }
  const blank = () => Reflect.construct(Body, [], Response);
  const details = new WeakMap();
  const describe = (response, values) => {
    details.set(response, values);
    return response;
  };
  for (const name of ["status", "statusText", "headers", "url", "redirected", "type"]) {
    Object.defineProperty(Response.prototype, name, {
      get() {
        return details.get(this)[name];
      },
      enumerable: true,
      configurable: true,
    });
  }
  Object.defineProperty(Response.prototype, "ok", {
    get() {
      return this.status >= 200 && this.status <= 299;
    },
    enumerable: true,
    configurable: true,
  });

  // Go says what went wrong; refused means that trying again can't help.
  const failure = ({ message, refused, limit }) => {
    const error = new TypeError(refused || limit ? `fetch failed: ${message}` : "fetch failed", { cause: new Error(message) });
    if (refused) host.refused(error);
    return error;
  };

  // A promise that signal can reject; start gets the two ends and returns what stops the work.
  const abortable = (signal, start) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const abort = () => {
        stop();
        reject(signal.reason);
      };
      const done = (settle) => (value) => {
        signal.removeEventListener("abort", abort);
        settle(value);
      };
      const stop = start(done(resolve), done((f) => reject(failure(f))));
      signal.addEventListener("abort", abort, { once: true });
    });

  async function fetch(input, init) {
    const request = new Request(input, init);
    if (request.signal.aborted) throw request.signal.reason;
    const body = await take(request);
    const hasBody = body.byteLength > 0 || !["GET", "HEAD"].includes(request.method);
    const head = await abortable(request.signal, (resolve, reject) => {
      const id = host.send(request.method, request.url, [...request.headers], hasBody ? body : undefined, request.redirect, resolve, reject);
      if (id < 0) reject({ message: `more than ${host.maxRequests} requests are under way (${host.requestsSetting})`, limit: true });
      return () => host.stop(id);
    });
    const made = blank();
    const read = () =>
      abortable(request.signal, (resolve, reject) => {
        host.read(head.id, resolve, reject);
        return () => host.stop(head.id);
      });
    if (head.hasBody) initBody(made, read);
    else host.stop(head.id);
    const headers = new Headers();
    for (const [name, value] of head.headers) headers.append(name, value);
    return describe(made, { status: head.status, statusText: head.statusText, headers, url: head.url, redirected: head.redirected, type: "basic" });
  }

  for (const c of [Headers, Blob, Request, Response]) {
    Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
  }
  return { fetch, Headers, Request, Response, Blob };
})
