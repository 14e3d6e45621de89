// TextEncoder and TextDecoder, for UTF-8.
(function (host) {
  "use strict";
  const { encode, decode } = host;
  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(text = "") {
      return new Uint8Array(encode(String(text)));
    }
    encodeInto(text, target) {
      const bytes = this.encode(text);
      let n = Math.min(bytes.length, target.length);
      while (n > 0 && n < bytes.length && (bytes[n] & 0xc0) === 0x80) n--;
      target.set(bytes.subarray(0, n));
      return { read: decode(bytes.subarray(0, n), false, true).length, written: n };
    }
  }
  class TextDecoder {
    #fatal;
    #ignoreBOM;
    #rest = new Uint8Array(0);
    constructor(label = "utf-8", options = {}) {
      if (!["utf-8", "utf8", "unicode-1-1-utf-8"].includes(String(label).trim().toLowerCase())) {
        throw new RangeError(`The "${label}" encoding is not supported`);
      }
      this.#fatal = !!options.fatal;
      this.#ignoreBOM = !!options.ignoreBOM;
    }
    get encoding() {
      return "utf-8";
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#ignoreBOM;
    }
    decode(input, options) {
      let bytes = new Uint8Array(0);
      if (input !== undefined) {
        bytes = ArrayBuffer.isView(input)
          ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
          : new Uint8Array(input);
      }
      if (this.#rest.length > 0) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
        this.#rest = new Uint8Array(0);
      }
      if (options?.stream) {
        const cut = incompleteTail(bytes);
        this.#rest = bytes.slice(cut);
        bytes = bytes.subarray(0, cut);
      }
      const text = decode(bytes, this.#fatal, this.#ignoreBOM);
      if (text === undefined) throw new TypeError("The encoded data was not valid for encoding utf-8");
      return text;
    }
  }
  // Where an unfinished character at the end begins.
  function incompleteTail(bytes) {
    for (let back = 1; back <= 3 && back <= bytes.length; back++) {
      const b = bytes[bytes.length - back];
      if ((b & 0xc0) === 0x80) continue;
      const need = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
      return need > back ? bytes.length - back : bytes.length;
    }
    return bytes.length;
  }
  return { TextEncoder, TextDecoder };
})
