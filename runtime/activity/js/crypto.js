// crypto: random values, and subtle by Go's crypto packages (see subtle.go). Keys stay in this closure as raw bytes, or PKCS #8
// and SPKI for key pairs.
(function (host) {
  "use strict";
  const fail = (name, message) => {
    throw new DOMException(message, name);
  };
  const bytesOf = (data) => {
    if (data instanceof ArrayBuffer) return data;
    if (ArrayBuffer.isView(data)) return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    throw new TypeError("The data must be an ArrayBuffer, a typed array or a DataView");
  };
  const go = (operation, parameters) => {
    const answer = host.subtle(operation, parameters);
    if (answer.error) fail(answer.error, answer.message);
    return answer.value;
  };
  const text = (buffer) => Buffer.from(buffer).toString("base64url");
  const isObject = (v) => typeof v === "object" && v !== null;

  const material = new WeakMap();
  const token = {};
  class CryptoKey {
    constructor(by, key, type, algorithm, extractable, usages) {
      if (by !== token) throw new TypeError("Illegal constructor");
      material.set(this, key);
      for (const [name, value] of Object.entries({ type, extractable, algorithm, usages })) {
        Object.defineProperty(this, name, { value, enumerable: true });
      }
    }
  }
  Object.defineProperty(CryptoKey.prototype, Symbol.toStringTag, { value: "CryptoKey", configurable: true });

  const signing = { secret: ["sign", "verify"], private: ["sign"], public: ["verify"] };
  const derivation = { secret: ["deriveKey", "deriveBits"] };
  const algorithms = {
    HMAC: { usages: signing, symmetric: true },
    "AES-GCM": { usages: { secret: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] }, symmetric: true },
    "RSASSA-PKCS1-v1_5": { usages: signing, rsa: true },
    "RSA-PSS": { usages: signing, rsa: true },
    ECDSA: { usages: signing },
    PBKDF2: { usages: derivation, derives: true },
    HKDF: { usages: derivation, derives: true },
  };
  const hashes = { "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 }; // bits of a block

  function algorithmOf(given) {
    const asked = String(isObject(given) ? given.name : given);
    const name = Object.keys(algorithms).find((n) => n.toLowerCase() === asked.toLowerCase());
    if (!name) fail("NotSupportedError", "Unrecognized algorithm name");
    return { ...(isObject(given) ? given : {}), name };
  }
  function hashOf(given) {
    if (given === undefined) throw new TypeError("The algorithm's hash is missing");
    const name = String(isObject(given) ? given.name : given).toUpperCase();
    if (!hashes[name]) fail("NotSupportedError", "Unrecognized algorithm name");
    return name;
  }
  function usagesFor(algorithm, type, usages, demanded = type !== "public") {
    const allowed = algorithms[algorithm].usages[type];
    usages = [...usages];
    if (usages.some((u) => !allowed.includes(u))) fail("SyntaxError", `Unsupported key usage for a ${algorithm} key`);
    if (demanded && usages.length === 0) fail("SyntaxError", "Usages cannot be empty when importing a " + type + " key.");
    return allowed.filter((u) => usages.includes(u));
  }
  function use(key, algorithm, usage) {
    if (!material.has(key)) throw new TypeError("The key must be a CryptoKey");
    if (key.algorithm.name !== algorithm.name) fail("InvalidAccessError", "Key algorithm mismatch");
    if (!key.usages.includes(usage)) fail("InvalidAccessError", `Unable to use this key to ${usage}`);
    return material.get(key);
  }
  function secret(bytes, algorithm, extractable, usages) {
    usages = usagesFor(algorithm.name, "secret", usages);
    const bits = bytes.byteLength * 8;
    let about = { name: algorithm.name };
    if (algorithm.name === "HMAC") {
      if (bits === 0) fail("DataError", "Zero-length key is not supported");
      about = { name: "HMAC", hash: { name: hashOf(algorithm.hash) }, length: bits };
    } else if (algorithm.name === "AES-GCM") {
      if (![128, 192, 256].includes(bits)) fail("DataError", "Invalid key length");
      about.length = bits;
    } else if (extractable) fail("SyntaxError", `${algorithm.name} keys are not extractable`);
    return new CryptoKey(token, bytes, "secret", about, !!extractable, usages);
  }
  // A key of a pair: what Go says of the DER.
  function paired(der, type, algorithm, extractable, usages, demanded) {
    const { rsa } = algorithms[algorithm.name];
    const found = go("describe", { der, type });
    if (found.kind !== (rsa ? "RSA" : "EC")) fail("DataError", "Invalid key type");
    let about = { name: algorithm.name };
    if (rsa) {
      about = { name: algorithm.name, modulusLength: found.bits, publicExponent: new Uint8Array(found.exponent), hash: { name: hashOf(algorithm.hash) } };
    } else {
      if (algorithm.namedCurve !== found.curve) fail("DataError", "Named curve mismatch");
      about.namedCurve = found.curve;
    }
    return new CryptoKey(token, der, type, about, !!extractable, usagesFor(algorithm.name, type, usages, demanded));
  }
  function signatureParameters(algorithm, key, usage) {
    const bytes = use(key, algorithm, usage);
    if (algorithm.name === "RSA-PSS") {
      if (algorithm.saltLength === undefined) throw new TypeError("The algorithm's saltLength is missing");
      if (!(algorithm.saltLength > 0)) fail("NotSupportedError", "RSA-PSS without a salt is not supported");
    }
    return {
      key: bytes, scheme: algorithm.name, saltLength: Number(algorithm.saltLength ?? 0),
      hash: algorithm.name === "ECDSA" ? hashOf(algorithm.hash) : key.algorithm.hash.name,
    };
  }
  function cipher(operation, algorithm, key, data) {
    const bytes = use(key, algorithm, operation);
    if (algorithm.iv === undefined) throw new TypeError("The algorithm's iv is missing");
    return go(operation, {
      key: bytes, iv: bytesOf(algorithm.iv), data: bytesOf(data), tagLength: Number(algorithm.tagLength ?? 128),
      additionalData: algorithm.additionalData === undefined ? new ArrayBuffer(0) : bytesOf(algorithm.additionalData),
    });
  }
  function bits(algorithm, key, usage, length) {
    const bytes = use(key, algorithm, usage);
    if (!(length > 0) || length % 8) fail("OperationError", "length must be a multiple of 8, above 0");
    return go(algorithm.name, {
      key: bytes, hash: hashOf(algorithm.hash), salt: bytesOf(algorithm.salt), length: length / 8,
      iterations: Number(algorithm.iterations ?? 0), info: algorithm.name === "HKDF" ? bytesOf(algorithm.info) : new ArrayBuffer(0),
    });
  }
  const lengthOf = (algorithm) =>
    algorithm.name === "HMAC" ? Number(algorithm.length ?? hashes[hashOf(algorithm.hash)]) : Number(algorithm.length);

  const subtle = {
    async digest(algorithm, data) {
      return go("digest", { hash: hashOf(algorithm), data: bytesOf(data) });
    },
    async sign(algorithm, key, data) {
      const parameters = signatureParameters(algorithmOf(algorithm), key, "sign");
      return go("sign", { ...parameters, data: bytesOf(data) });
    },
    async verify(algorithm, key, signature, data) {
      const parameters = signatureParameters(algorithmOf(algorithm), key, "verify");
      return go("verify", { ...parameters, signature: bytesOf(signature), data: bytesOf(data) });
    },
    async encrypt(algorithm, key, data) {
      return cipher("encrypt", algorithmOf(algorithm), key, data);
    },
    async decrypt(algorithm, key, data) {
      return cipher("decrypt", algorithmOf(algorithm), key, data);
    },
    async generateKey(algorithm, extractable, usages) {
      algorithm = algorithmOf(algorithm);
      const { symmetric, derives, rsa } = algorithms[algorithm.name];
      if (derives) fail("NotSupportedError", `${algorithm.name} keys can't be generated`);
      if (symmetric) {
        const length = lengthOf(algorithm);
        if (!(length > 0 && length <= 65536) || length % 8) fail("OperationError", "Invalid key length");
        return secret(host.random(length / 8), algorithm, extractable, usages);
      }
      usages = [...usages];
      if (usages.some((u) => u !== "sign" && u !== "verify")) fail("SyntaxError", `Unsupported key usage for a ${algorithm.name} key`);
      if (!usages.includes("sign")) fail("SyntaxError", "Usages cannot be empty when creating a key.");
      const exponent = rsa ? text(bytesOf(algorithm.publicExponent)) : "";
      if (rsa && exponent !== "AQAB") fail("OperationError", "The public exponent must be 65537");
      const pair = go("generate", { kind: rsa ? "RSA" : "EC", bits: Number(algorithm.modulusLength ?? 0), curve: String(algorithm.namedCurve) });
      return {
        publicKey: paired(pair.public, "public", algorithm, true, usages.filter((u) => u === "verify")),
        privateKey: paired(pair.private, "private", algorithm, extractable, ["sign"]),
      };
    },
    async importKey(format, data, algorithm, extractable, usages) {
      algorithm = algorithmOf(algorithm);
      const { symmetric, derives } = algorithms[algorithm.name];
      if (symmetric || derives) {
        if (format === "raw") return secret(bytesOf(data).slice(0), algorithm, extractable, usages);
        if (format !== "jwk" || derives) fail("NotSupportedError", `Unable to import ${algorithm.name} key using ${format} format`);
        if (data?.kty !== "oct" || typeof data.k !== "string") fail("DataError", "Invalid keyData");
        if (extractable && data.ext === false) fail("DataError", "JWK is not extractable");
        return secret(new Uint8Array(Buffer.from(data.k, "base64url")).buffer.slice(0), algorithm, extractable, usages);
      }
      switch (format) {
        case "pkcs8":
          return paired(bytesOf(data).slice(0), "private", algorithm, extractable, usages);
        case "spki":
          return paired(bytesOf(data).slice(0), "public", algorithm, extractable, usages);
        case "raw":
          if (algorithm.name !== "ECDSA") break;
          return paired(go("point", { curve: String(algorithm.namedCurve), data: bytesOf(data) }), "public", algorithm, extractable, usages);
        case "jwk": {
          if (!isObject(data)) fail("DataError", "Invalid keyData");
          if (extractable && data.ext === false) fail("DataError", "JWK is not extractable");
          const type = data.d === undefined ? "public" : "private";
          return paired(go("fromJWK", { jwk: JSON.stringify(data), type }), type, algorithm, extractable, usages);
        }
      }
      fail("NotSupportedError", `Unable to import ${algorithm.name} key using ${format} format`);
    },
    async exportKey(format, key) {
      if (!material.has(key)) throw new TypeError("The key must be a CryptoKey");
      if (!key.extractable) fail("InvalidAccessError", "key is not extractable");
      const bytes = material.get(key);
      const { name } = key.algorithm;
      const own = { key_ops: [...key.usages], ext: true };
      if (key.type === "secret") {
        if (format === "raw") return bytes.slice(0);
        const alg = name === "HMAC" ? "HS" + key.algorithm.hash.name.slice(4) : `A${key.algorithm.length}GCM`;
        if (format === "jwk") return { ...own, kty: "oct", k: text(bytes), alg };
      } else if (format === (key.type === "public" ? "spki" : "pkcs8")) return bytes.slice(0);
      else if (format === "raw" && name === "ECDSA" && key.type === "public") return go("raw", { der: bytes });
      else if (format === "jwk") {
        const jwk = { ...own, ...JSON.parse(go("toJWK", { der: bytes, type: key.type })) };
        if (name !== "ECDSA") jwk.alg = (name === "RSA-PSS" ? "PS" : "RS") + key.algorithm.hash.name.slice(4);
        return jwk;
      }
      fail("NotSupportedError", `Unable to export ${name} ${key.type} key using ${format} format`);
    },
    async deriveBits(algorithm, key, length) {
      return bits(algorithmOf(algorithm), key, "deriveBits", length);
    },
    async deriveKey(algorithm, key, wanted, extractable, usages) {
      wanted = algorithmOf(wanted);
      return secret(bits(algorithmOf(algorithm), key, "deriveKey", lengthOf(wanted)), wanted, extractable, usages);
    },
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
  return { crypto, CryptoKey };
})
