// fetch, Request, Response. Go sends and receives (see fetch.go, body.go). Streams are made where code asks for one:
// most takes bodies whole.
(function (host) {
  "use strict";
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const isObject = (v) => typeof v === "object" && v !== null;
  const { Headers, fix, byteString } = host.headers();
  const bufferOf = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const isStream = (v) => isObject(v) && v instanceof (host.streamsSoFar()?.ReadableStream ?? Never);
  class Never {}

  // Where a body comes from: take() gives all of its bytes, open() a stream. One of the two is called, once.
  const fromBytes = (bytes) => ({ take: async () => bytes, open: () => host.blob().streamOf(bytes), whole: true });
  const fromStream = (stream) => ({ take: () => collect(stream), open: () => stream });
  async function collect(stream) {
    const chunks = [];
    let size = 0;
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!(value instanceof Uint8Array)) throw new TypeError("Received non-Uint8Array chunk");
      chunks.push(value);
      size += value.byteLength;
    }
    const all = new Uint8Array(size);
    let at = 0;
    for (const c of chunks) {
      all.set(c, at);
      at += c.byteLength;
    }
    return all.buffer;
  }
  // Two sources of one. How the first is used decides how both get their bytes.
  function twice(source) {
    let taken, opened;
    const side = (i) => ({
      take: async () => (opened ? collect(opened[i]) : (await (taken ??= source.take())).slice(0)),
      open() {
        if (!taken) return (opened ??= source.open().tee())[i];
        const pull = async (controller) => {
          controller.enqueue(new Uint8Array((await taken).slice(0)));
          controller.close();
        };
        return new (host.streams().ReadableStream)({ pull }, { highWaterMark: 0 });
      },
    });
    return [side(0), side(1)];
  }

  // A body as its source and the content type that it brings along.
  function sourceOf(body) {
    if (typeof body === "string") {
      return { source: fromBytes(bufferOf(new TextEncoder().encode(body))), type: "text/plain;charset=UTF-8" };
    }
    if (isStream(body)) {
      if (body.locked || host.streams().isDisturbed(body)) throw new TypeError("Response body object should not be disturbed or locked");
      return { source: fromStream(body), type: "" };
    }
    // As Node: anything that can be iterated asynchronously.
    if (typeof body[Symbol.asyncIterator] === "function") return { source: fromStream(host.streams().ReadableStream.from(body)), type: "" };
    const { bytes, type } = host.blob().bodyOf(body);
    return { source: fromBytes(bytes), type };
  }

  // The body half of Request and Response.
  class Body {
    #source = null;
    #stream = null; // of the source, since it was asked for
    #used = false;
    static init(target, source) {
      target.#source = source;
    }
    static has(target) {
      return target.#source !== null;
    }
    static spent(target) {
      return target.bodyUsed || target.#stream?.locked;
    }
    // The source, for whoever uses it up.
    static use(target) {
      if (spent(target)) throw new TypeError("Body is unusable: Body has already been read");
      if (!target.#source) return null;
      target.#used = true;
      return target.#stream ? fromStream(target.#stream) : target.#source;
    }
    static split(target, refusal) {
      if (spent(target)) throw new TypeError(refusal);
      if (!target.#source) return null;
      const [mine, copy] = twice(target.#stream ? fromStream(target.#stream) : target.#source);
      target.#source = mine;
      target.#stream = null;
      return copy;
    }
    get bodyUsed() {
      return this.#used || (this.#stream !== null && host.streams().isDisturbed(this.#stream));
    }
    get body() {
      if (!this.#source) return null;
      if (!this.#stream) {
        if (this.#used) {
          this.#stream = new (host.streams().ReadableStream)({ start: (controller) => controller.close() });
          this.#stream.getReader();
        } else this.#stream = this.#source.open();
      }
      return this.#stream;
    }
    async arrayBuffer() {
      return (await use(this)?.take()) ?? new ArrayBuffer(0);
    }
    async bytes() {
      return new Uint8Array(await this.arrayBuffer());
    }
    async text() {
      return new TextDecoder().decode(await this.arrayBuffer());
    }
    async json() {
      return JSON.parse(await this.text());
    }
    async formData() {
      return host.blob().formOf(await this.arrayBuffer(), this.headers.get("content-type") ?? "");
    }
    async blob() {
      return new Blob([await this.arrayBuffer()], { type: this.headers.get("content-type") ?? "" });
    }
  }
  const { init: initBody, has: hasBody, spent, use, split } = Body;
  for (const name of ["init", "has", "spent", "use", "split"]) delete Body[name];

  // What options may be.
  const accepted = {
    redirect: ["follow", "manual", "error"], mode: ["navigate", "same-origin", "no-cors", "cors"], credentials: ["omit", "same-origin", "include"],
    cache: ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"],
  };
  const urlOf = (text) => {
    try {
      return new URL(text);
    } catch (cause) {
      throw new TypeError("Failed to parse URL from " + text, { cause });
    }
  };
  const optionsOf = (call, init) => {
    if (init !== null && init !== undefined && typeof init !== "object" && typeof init !== "function") {
      throw new TypeError(`${call} constructor: Expected ${typeof init === "string" ? `"${init}"` : String(init)} to be one of: Null, Undefined, Object.`);
    }
    return init ?? {};
  };

  const standard = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
  const streamed = new WeakSet(); // requests whose body is a stream
  class Request extends Body {
    constructor(input, init) {
      super();
      required("Request constructor", 1, arguments.length);
      init = optionsOf("Request", init);
      const from = input instanceof Request ? input : null;
      for (const [name, values] of Object.entries(accepted)) {
        if (init[name] !== undefined && !values.includes(String(init[name]))) throw new TypeError(`Request constructor: ${init[name]} is not an accepted type. Expected one of ${values.join(", ")}.`);
      }
      if (init.mode === "navigate") throw new TypeError("Request constructor: invalid request mode navigate.");
      const url = urlOf(from ? from.url : String(input));
      if (url.username || url.password) throw new TypeError("Request cannot be constructed from a URL that includes credentials: " + url);
      let method = String(init.method ?? from?.method ?? "GET");
      if (!token.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
      if (/^(connect|trace|track)$/i.test(method)) throw new TypeError(`'${method}' HTTP method is unsupported.`);
      if (standard.includes(method.toUpperCase())) method = method.toUpperCase();
      const redirect = init.redirect ?? from?.redirect ?? "follow";
      const headers = new Headers(init.headers ?? from?.headers);
      let body = null;
      const given = init.body !== undefined && init.body !== null;
      if ((given || (from && hasBody(from))) && (method === "GET" || method === "HEAD")) {
        throw new TypeError("Request with GET/HEAD method cannot have body.");
      }
      if (given) {
        const { source, type } = sourceOf(init.body);
        if (!source.whole) {
          if (init.duplex === undefined) throw new TypeError("RequestInit: duplex option is required when sending a body.");
          streamed.add(this);
        }
        if (type && !headers.has("content-type")) headers.set("content-type", type);
        body = source;
      } else if (from) {
        if (spent(from)) throw new TypeError("Cannot construct a Request with a Request object that has already been used.");
        body = use(from);
        if (streamed.has(from)) streamed.add(this);
      }
      initBody(this, body);
      if (init.signal !== undefined && init.signal !== null && !(init.signal instanceof AbortSignal)) {
        throw new TypeError("Failed to construct 'Request': member signal is not of type AbortSignal.");
      }
      const signal = (init.signal === undefined ? from?.signal : init.signal) ?? new AbortController().signal;
      for (const [name, value] of Object.entries({ url: url.href, method, redirect, headers, signal, ...fixed })) {
        Object.defineProperty(this, name, { value, enumerable: true });
      }
    }
    clone() {
      const copy = new Request(this.url, { method: this.method, headers: this.headers, redirect: this.redirect, signal: this.signal });
      initBody(copy, split(this, "unusable"));
      if (streamed.has(this)) streamed.add(copy);
      return copy;
    }
  }
  const fixed = { cache: "default", credentials: "same-origin", destination: "", duplex: "half", integrity: "", keepalive: false, mode: "cors" };

  class Response extends Body {
    constructor(body = null, init = {}) {
      super();
      init = optionsOf("Response", init);
      const status = init.status === undefined ? 200 : Number(init.status);
      const statusText = byteString(init.statusText ?? "");
      if (!(status >= 200 && status <= 599)) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
      if (/[^\t\x20-\x7e\x80-\xff]/.test(statusText)) throw new TypeError("Invalid statusText");
      const headers = new Headers(init.headers);
      if (body !== null && body !== undefined) {
        if ([101, 204, 205, 304].includes(status)) throw new TypeError(`Response constructor: Invalid response status code ${status}`);
        const { source, type } = sourceOf(body);
        if (type && !headers.has("content-type")) headers.set("content-type", type);
        initBody(this, source);
      }
      describe(this, { status, statusText, headers, url: "", redirected: false, type: "default" });
    }
    static json(data, init = {}) {
      required("Response.json", 1, arguments.length);
      const text = JSON.stringify(data);
      if (text === undefined) throw new TypeError("Value is not JSON serializable");
      const headers = new Headers(init.headers);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return new Response(text, { ...init, headers });
    }
    static error() {
      return describe(blank(), { status: 0, statusText: "", headers: fix(new Headers()), url: "", redirected: false, type: "error" });
    }
    static redirect(url, status = 302) {
      required("Response.redirect", 1, arguments.length);
      const location = urlOf(String(url)).href;
      if (![301, 302, 303, 307, 308].includes(Number(status))) throw new RangeError(`Invalid status code ${status}`);
      const response = new Response(null, { status, headers: { location } });
      fix(response.headers);
      return response;
    }
    clone() {
      const copy = blank();
      initBody(copy, split(this, "Response.clone: Body has already been consumed."));
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

  // The body of a response that is under way.
  const fromNetwork = (id, signal) => ({
    take: async () =>
      (await abortable(signal, (resolve, reject) => {
        host.read(id, resolve, reject);
        return () => host.stop(id);
      }, "terminated")) ?? new ArrayBuffer(0),
    open() {
      let abort;
      const done = () => signal.removeEventListener("abort", abort);
      return new (host.streams().ReadableStream)(
        {
          type: "bytes",
          start(controller) {
            abort = () => {
              host.stop(id);
              controller.error(signal.reason);
            };
            if (signal.aborted) abort();
            else signal.addEventListener("abort", abort, { once: true });
          },
          pull: (controller) =>
            new Promise((resolve, reject) => {
              const arrived = (bytes) => {
                if (signal.aborted) return resolve();
                if (bytes !== undefined) controller.enqueue(new Uint8Array(bytes));
                else {
                  done();
                  controller.close();
                  controller.byobRequest?.respond(0);
                }
                resolve();
              };
              host.chunk(id, arrived, (f) => {
                done();
                reject(failure(f, "terminated"));
              });
            }),
          cancel() {
            done();
            host.stop(id);
          },
        },
        { highWaterMark: 0 }
      );
    },
  });

  // Sends a stream, piece by piece.
  async function upload(id, stream, fail) {
    const reader = stream.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return host.endWrite(id, true);
        if (!(value instanceof Uint8Array)) throw new TypeError("Received non-Uint8Array chunk");
        if (value.byteLength > 0) await new Promise((sent, refused) => host.write(id, value, sent, refused));
      }
    } catch (problem) {
      host.endWrite(id, false);
      // What Go refuses, the request itself says better.
      if (problem instanceof Error) fail(problem);
      reader.cancel(problem).catch(() => {});
    }
  }

  async function fetch(input, init) {
    const request = new Request(input, init);
    const { signal } = request;
    if (signal.aborted) throw signal.reason;
    const source = use(request);
    const streaming = streamed.has(request);
    let body;
    if (source && !streaming) body = await source.take();
    else if (!source && !["GET", "HEAD"].includes(request.method)) body = new ArrayBuffer(0);
    let failed = false;
    let uploadError;
    const head = await abortable(signal, (resolve, reject) => {
      const id = host.send(request.method, request.url, [...request.headers], streaming ? "stream" : body, request.redirect, resolve, (f) => reject(f));
      if (id < 0) reject({ message: `more than ${host.maxRequests} requests are under way (${host.requestsSetting})`, limit: true });
      else if (streaming) {
        upload(id, source.open(), (problem) => {
          failed = true;
          uploadError = problem;
        });
      }
      return () => host.stop(id);
    }).catch((error) => {
      throw failed && !signal.aborted ? uploadError : error;
    });
    if (streaming && request.redirect === "follow" && [307, 308].includes(head.status)) {
      host.stop(head.id);
      throw failure({ message: "a request whose body is a stream can't be redirected" });
    }
    const made = blank();
    if (head.hasBody) initBody(made, fromNetwork(head.id, signal));
    else host.stop(head.id);
    const headers = new Headers();
    for (const [name, value] of head.headers) headers.append(name, value);
    fix(headers);
    return describe(made, { status: head.status, statusText: head.statusText, headers, url: head.url, redirected: head.redirected, type: "basic" });
  }

  for (const c of [Request, Response]) {
    Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
  }
  const { maxRequests, requestsSetting, send, chunk, write, endWrite, stop, refused } = host;
  return { fetch, Request, Response, internal: { maxRequests, requestsSetting, send, chunk, write, endWrite, stop, refused } };
})
