// crypto: random values and digests.
(function (host) {
  "use strict";
  const subtle = {
    async digest(algorithm, data) {
      const name = String(algorithm?.name ?? algorithm);
      const hash = host.digest(name.toUpperCase(), bytesOf(data));
      if (!hash) throw new DOMException(`Unrecognized algorithm name: ${name}`, "NotSupportedError");
      return hash;
    },
  };
  const bytesOf = (data) => {
    if (data instanceof ArrayBuffer) return data;
    if (ArrayBuffer.isView(data)) return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    throw new TypeError("The data must be an ArrayBuffer, a typed array or a DataView");
  };
  const crypto = {
    subtle,
    randomUUID: () => host.randomUUID(),
    getRandomValues(array) {
      if (!ArrayBuffer.isView(array) || array instanceof Float32Array || array instanceof Float64Array || array instanceof DataView) {
        throw new TypeError("The data argument must be an integer-type typed array");
      }
      if (array.byteLength > 65536) {
        throw new DOMException(`The requested length exceeds 65,536 bytes`, "QuotaExceededError");
      }
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(new Uint8Array(host.random(array.byteLength)));
      return array;
    },
  };
  return { crypto };
})
