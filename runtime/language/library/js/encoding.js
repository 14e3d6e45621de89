// TextEncoder and TextDecoder. UTF-8 has a way of its own; the other encodings are Go's.
(function (host) {
  "use strict";
  const { encode, decode, unfinished, charsetOf, decodeCharset, former } = host;
  const fault = (Kind, code, message) => (former() ? new Kind(message) : Object.assign(new Kind(message), { code }));
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
    #encoding;
    #fatal;
    #ignoreBOM;
    #rest = new Uint8Array(0);
    #begun = false; // a mark of the byte order counts at the beginning alone
    constructor(label = "utf-8", options = {}) {
      this.#encoding = charsetOf(String(label));
      if (this.#encoding === undefined) throw fault(RangeError, "ERR_ENCODING_NOT_SUPPORTED", `The "${label}" encoding is not supported`);
      this.#fatal = !!options.fatal;
      this.#ignoreBOM = !!options.ignoreBOM;
    }
    get encoding() {
      return this.#encoding;
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
      const more = !!options?.stream;
      let text;
      if (this.#encoding === "utf-8") {
        if (more) {
          const cut = bytes.length - unfinished(bytes);
          this.#rest = bytes.slice(cut);
          bytes = bytes.subarray(0, cut);
        }
        text = decode(bytes, this.#fatal, this.#ignoreBOM || this.#begun);
      } else {
        const answer = decodeCharset(this.#encoding, bytes, this.#fatal, more);
        text = answer?.text;
        if (text?.[0] === "\ufeff" && !this.#ignoreBOM && !this.#begun && this.#encoding.startsWith("utf-16") && !former()) text = text.slice(1);
        if (answer?.left > 0) this.#rest = bytes.slice(bytes.length - answer.left);
      }
      this.#begun = more && (this.#begun || bytes.length > 0);
      if (text === undefined) throw fault(TypeError, "ERR_ENCODING_INVALID_ENCODED_DATA", `The encoded data was not valid for encoding ${this.#encoding}`);
      return text;
    }
  }
  return { TextEncoder, TextDecoder };
})
