// Blob, File, FormData, and what a body may be made of.
(function (host) {
  "use strict";
  const empty = () => new ArrayBuffer(0);
  const copyOf = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

  // A stream of bytes that are here, in pieces: who reads them is not to hold all of them twice.
  function streamOf(bytes) {
    const size = 65536;
    let at = 0;
    return new (host.streams().ReadableStream)(
      {
        type: "bytes",
        pull(controller) {
          if (at < bytes.byteLength) controller.enqueue(new Uint8Array(bytes.slice(at, (at += size))));
          if (at >= bytes.byteLength) {
            controller.close();
            controller.byobRequest?.respond(0);
          }
        },
      },
      { highWaterMark: 0 }
    );
  }

  const isObject = (v) => (typeof v === "object" && v !== null) || typeof v === "function";

  class Blob {
    #bytes;
    #type;
    constructor(parts = [], options = {}) {
      if (!isObject(parts) || typeof parts[Symbol.iterator] !== "function") {
        throw wrongType("sources", "a sequence", parts);
      }
      if (options !== null && !isObject(options)) throw wrongType("options", "a dictionary", options);
      options ??= {};
      const endings = options.endings ?? "transparent";
      if (endings !== "transparent" && endings !== "native") throw fault(TypeError, "ERR_INVALID_ARG_VALUE", `The property 'options.endings' is invalid. Received ${shown(endings)}`);
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
    stream() {
      return streamOf(this.#bytes);
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
      if (arguments.length < 2) throw fault(TypeError, "ERR_MISSING_ARGS", 'The "fileBits" and "fileName" arguments must be specified');
      super(parts, options);
      this.#name = String(name);
      options ??= {};
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
      if (form !== undefined) throw new TypeError("FormData constructor: Argument 1 could not be converted to: undefined.");
    }
    #entry(method, name, value, filename) {
      if (!(value instanceof Blob)) {
        if (filename !== undefined) throw new TypeError(`Failed to execute '${method}' on 'FormData': parameter 2 is not of type 'Blob'`);
        return [String(name), String(value)];
      }
      if (!(value instanceof File) || filename !== undefined) {
        value = new File([value], filename ?? value.name ?? "blob", { type: value.type, lastModified: value.lastModified });
      }
      return [String(name), value];
    }
    append(name, value, filename) {
      required("FormData.append", 2, arguments.length);
      this.#entries.push(this.#entry("append", name, value, filename));
    }
    set(name, value, filename) {
      required("FormData.set", 2, arguments.length);
      const entry = this.#entry("set", name, value, filename);
      const at = this.#entries.findIndex(([n]) => n === entry[0]);
      if (at < 0) {
        this.#entries.push(entry);
        return;
      }
      this.#entries = this.#entries.filter(([n], i) => n !== entry[0] || i === at);
      this.#entries[at] = entry;
    }
    get(name) {
      required("FormData.get", 1, arguments.length);
      return this.#entries.find(([n]) => n === String(name))?.[1] ?? null;
    }
    getAll(name) {
      required("FormData.getAll", 1, arguments.length);
      return this.#entries.filter(([n]) => n === String(name)).map(([, v]) => v);
    }
    has(name) {
      required("FormData.has", 1, arguments.length);
      return this.#entries.some(([n]) => n === String(name));
    }
    delete(name) {
      required("FormData.delete", 1, arguments.length);
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
    if (!boundary) {
      if (/^multipart\/form-data\b/i.test(type)) throw new TypeError("Failed to parse body as FormData.");
      throw new TypeError('Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".');
    }
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

  for (const c of [Blob, File, FormData]) {
    Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
  }
  return { Blob, File, FormData, internal: { empty, streamOf, bodyOf, formOf } };
})
