// fetch, Headers, Request, Response, Blob, File, FormData. Bodies are whole, not streams; Go sends and receives (see fetch.go).
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

  class File extends Blob {
    #name;
    #modified;
    constructor(parts, name, options = {}) {
      if (arguments.length < 2) throw new TypeError("File needs its parts and its name");
      super(parts, options);
      this.#name = String(name);
      this.#modified = options.lastModified === undefined ? Date.now() : Number(options.lastModified);
    }
    get name() {
      return this.#name;
    }
    get lastModified() {
      return this.#modified;
    }
  }

  class FormData {
    #entries = [];
    constructor(form) {
      if (form !== undefined) throw new TypeError("FormData can't be made of a form: there is none here");
    }
    #entry(name, value, filename) {
      if (!(value instanceof Blob)) {
        if (filename !== undefined) throw new TypeError("FormData: a value with a file name must be a Blob");
        return [String(name), String(value)];
      }
      if (!(value instanceof File) || filename !== undefined) {
        value = new File([value], filename ?? value.name ?? "blob", { type: value.type, lastModified: value.lastModified });
      }
      return [String(name), value];
    }
    append(name, value, filename) {
      this.#entries.push(this.#entry(name, value, filename));
    }
    set(name, value, filename) {
      const entry = this.#entry(name, value, filename);
      const at = this.#entries.findIndex(([n]) => n === entry[0]);
      if (at < 0) {
        this.#entries.push(entry);
        return;
      }
      this.#entries = this.#entries.filter(([n], i) => n !== entry[0] || i === at);
      this.#entries[at] = entry;
    }
    get(name) {
      return this.#entries.find(([n]) => n === String(name))?.[1] ?? null;
    }
    getAll(name) {
      return this.#entries.filter(([n]) => n === String(name)).map(([, v]) => v);
    }
    has(name) {
      return this.#entries.some(([n]) => n === String(name));
    }
    delete(name) {
      this.#entries = this.#entries.filter(([n]) => n !== String(name));
    }
    forEach(callback, self) {
      for (const [name, value] of this.#entries) callback.call(self, value, name, this);
    }
    *entries() {
      for (const [name, value] of this.#entries) yield [name, value];
    }
    *keys() {
      for (const [name] of this.#entries) yield name;
    }
    *values() {
      for (const [, value] of this.#entries) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
  }

  // multipart/form-data as the standard has browsers write it.
  function multipart(form) {
    const boundary = "----formdata-" + crypto.randomUUID().replaceAll("-", "");
    const lines = (text) => text.replace(/\r\n|\r|\n/g, "\r\n");
    const quoted = (text) => '"' + text.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22") + '"';
    const parts = [];
    for (const [name, value] of form) {
      parts.push(`--${boundary}\r\nContent-Disposition: form-data; name=${quoted(lines(name))}`);
      if (value instanceof File) {
        parts.push(`; filename=${quoted(value.name)}\r\nContent-Type: ${value.type || "application/octet-stream"}\r\n\r\n`, value, "\r\n");
      } else {
        parts.push(`\r\n\r\n${lines(value)}\r\n`);
      }
    }
    parts.push(`--${boundary}--\r\n`);
    return { bytes: bytesOf(new Blob(parts)), type: "multipart/form-data; boundary=" + boundary };
  }

  // A body's form, by its content type. One character stands for each byte, so that parts are found by searching text.
  function formOf(bytes, type) {
    const form = new FormData();
    if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
      for (const [name, value] of new URLSearchParams(new TextDecoder().decode(bytes))) form.append(name, value);
      return form;
    }
    const boundary = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type);
    if (!boundary) throw new TypeError("Failed to parse body as FormData.");
    const text = Buffer.from(bytes).toString("latin1");
    const octets = (part) => Buffer.from(part, "latin1");
    const utf8 = (part) => new TextDecoder().decode(octets(part));
    const delimiter = "--" + (boundary[1] ?? boundary[2]);
    let at = text.indexOf(delimiter);
    for (;;) {
      if (at < 0) throw new TypeError("Failed to parse body as FormData.");
      at += delimiter.length;
      if (text.startsWith("--", at)) return form;
      const body = text.indexOf("\r\n\r\n", at);
      const next = text.indexOf("\r\n" + delimiter, body + 2);
      if (body < 0 || next < 0) throw new TypeError("Failed to parse body as FormData.");
      const head = utf8(text.slice(at, body));
      const value = text.slice(body + 4, next);
      const parameter = (name) => new RegExp(`[;\\s]${name}="([^"]*)"`, "i").exec(head)?.[1]
        .replace(/%0A/gi, "\n").replace(/%0D/gi, "\r").replace(/%22/g, '"');
      const name = parameter("name");
      if (name === undefined) throw new TypeError("Failed to parse body as FormData.");
      const filename = parameter("filename");
      if (filename === undefined) form.append(name, utf8(value));
      else form.append(name, new File([octets(value)], filename, { type: /^content-type:\s*(.*)$/im.exec(head)?.[1] ?? "text/plain" }));
      at = next + 2;
    }
  }

  // What may be a body, as its bytes and the content type it brings along.
  function bodyOf(body) {
    if (body instanceof FormData) return multipart(body);
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
    async formData() {
      return formOf(await take(this), this.headers.get("content-type") ?? "");
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
  const failure = ({ message, code, refused, limit }, what = "fetch failed") => {
    const cause = new Error(message);
    if (code) cause.code = code;
    const error = new TypeError(refused || limit ? `fetch failed: ${message}` : what, { cause });
    if (refused) host.refused(error);
    return error;
  };

  // A promise that signal can reject; start gets the two ends and returns what stops the work.
  const abortable = (signal, start, what) =>
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
      const stop = start(done(resolve), done((f) => reject(failure(f, what))));
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
      }, "terminated");
    if (head.hasBody) initBody(made, read);
    else host.stop(head.id);
    const headers = new Headers();
    for (const [name, value] of head.headers) headers.append(name, value);
    return describe(made, { status: head.status, statusText: head.statusText, headers, url: head.url, redirected: head.redirected, type: "basic" });
  }

  for (const c of [Headers, Blob, File, FormData, Request, Response]) {
    Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
  }
  return { fetch, Headers, Request, Response, Blob, File, FormData };
})
