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
  const agreement = { private: ["deriveKey", "deriveBits"], public: [] };
  const ciphering = { secret: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] };
  const algorithms = {
    HMAC: { usages: signing, symmetric: true },
    "AES-GCM": { usages: ciphering, symmetric: true, aes: "GCM" },
    "AES-CBC": { usages: ciphering, symmetric: true, aes: "CBC" },
    "AES-CTR": { usages: ciphering, symmetric: true, aes: "CTR" },
    "AES-KW": { usages: { secret: ["wrapKey", "unwrapKey"] }, symmetric: true, aes: "KW" },
    "RSASSA-PKCS1-v1_5": { usages: signing, kind: "RSA" },
    "RSA-PSS": { usages: signing, kind: "RSA" },
    "RSA-OAEP": { usages: { private: ["decrypt", "unwrapKey"], public: ["encrypt", "wrapKey"] }, kind: "RSA" },
    ECDSA: { usages: signing, kind: "EC" },
    ECDH: { usages: agreement, kind: "EC" },
    Ed25519: { usages: signing, kind: "Ed25519" },
    X25519: { usages: agreement, kind: "X25519" },
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
    return [...new Set(usages)];
  }
  // What a JSON Web Key says of itself must allow what is asked.
  function readJWK(jwk, extractable, usages) {
    if (!isObject(jwk)) fail("DataError", "Invalid keyData");
    if (extractable && jwk.ext === false) fail("DataError", "JWK is not extractable");
    if (Array.isArray(jwk.key_ops) && usages.some((u) => !jwk.key_ops.includes(u))) fail("DataError", "Key operations and usage mismatch");
    return jwk;
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
    } else if (algorithms[algorithm.name].aes) {
      if (![128, 192, 256].includes(bits)) fail("DataError", "Invalid key length");
      about.length = bits;
    } else if (extractable) fail("SyntaxError", `${algorithm.name} keys are not extractable`);
    return new CryptoKey(token, bytes, "secret", about, !!extractable, usages);
  }
  // A key of a pair: what Go says of the DER.
  function paired(der, type, algorithm, extractable, usages, demanded) {
    const { kind } = algorithms[algorithm.name];
    const found = go("describe", { der, type });
    if (found.kind !== kind) fail("DataError", "Invalid key type");
    let about = { name: algorithm.name };
    if (kind === "RSA") {
      about = { name: algorithm.name, modulusLength: found.bits, publicExponent: new Uint8Array(found.exponent), hash: { name: hashOf(algorithm.hash) } };
    } else if (kind === "EC") {
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
      hash: algorithm.name === "ECDSA" ? hashOf(algorithm.hash) : (key.algorithm.hash?.name ?? ""),
    };
  }
  const none = new ArrayBuffer(0);
  function cipher(operation, algorithm, key, data, usage = operation) {
    const bytes = use(key, algorithm, usage);
    const { name } = algorithm;
    const required = { "AES-CTR": "counter", "AES-GCM": "iv", "AES-CBC": "iv" }[name];
    if (required && algorithm[required] === undefined) throw new TypeError(`The algorithm's ${required} is missing`);
    const more = name === "RSA-OAEP" ? algorithm.label : algorithm.additionalData;
    return go(operation, {
      algorithm: name, key: bytes, data: bytesOf(data), iv: required ? bytesOf(algorithm[required]) : none,
      tagLength: Number(algorithm.tagLength ?? 128), length: Number(algorithm.length ?? 0),
      additionalData: more === undefined ? none : bytesOf(more), hash: key.algorithm.hash?.name ?? "",
    });
  }
  function agreed(algorithm, key, usage, length) {
    const own = use(key, algorithm, usage);
    const other = algorithm.public;
    if (!material.has(other)) throw new TypeError("The algorithm's public key is missing");
    const { name, namedCurve } = other.algorithm;
    if (other.type !== "public" || name !== algorithm.name || namedCurve !== key.algorithm.namedCurve) fail("InvalidAccessError", "The keys don't belong together");
    const secret = go("ECDH", { key: own, public: material.get(other) });
    if (length === null || length === undefined) return secret;
    if (length % 8) fail("OperationError", "length must be a multiple of 8");
    if (length / 8 > secret.byteLength) fail("OperationError", "derived bit length is too small");
    return secret.slice(0, length / 8);
  }
  function bits(algorithm, key, usage, length) {
    if (algorithms[algorithm.name].usages === agreement) return agreed(algorithm, key, usage, length);
    const bytes = use(key, algorithm, usage);
    if (!(length > 0) || length % 8) fail("OperationError", "length must be a multiple of 8, above 0");
    return go(algorithm.name, {
      key: bytes, hash: hashOf(algorithm.hash), salt: bytesOf(algorithm.salt), length: length / 8,
      iterations: Number(algorithm.iterations ?? 0), info: algorithm.name === "HKDF" ? bytesOf(algorithm.info) : new ArrayBuffer(0),
    });
  }
  const lengthOf = (algorithm) => {
    if (algorithm.name === "HMAC") return Number(algorithm.length ?? hashes[hashOf(algorithm.hash)]);
    return algorithms[algorithm.name].derives ? null : Number(algorithm.length);
  };
  // The curve whose points a key's raw form is; undefined for keys without one.
  const curveOf = ({ name, namedCurve }) => (algorithms[name].kind === "EC" ? String(namedCurve) : ["Ed25519", "X25519"].includes(name) ? name : undefined);

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
      const { symmetric, derives, kind, usages: allowed } = algorithms[algorithm.name];
      if (derives) fail("NotSupportedError", `${algorithm.name} keys can't be generated`);
      if (symmetric) {
        const length = lengthOf(algorithm);
        if (!(length > 0 && length <= 65536) || length % 8) fail("OperationError", "Invalid key length");
        return secret(host.random(length / 8), algorithm, extractable, usages);
      }
      usages = [...usages];
      const own = allowed.private.filter((u) => usages.includes(u));
      const other = allowed.public.filter((u) => usages.includes(u));
      if (own.length + other.length < new Set(usages).size) fail("SyntaxError", `Unsupported key usage for a ${algorithm.name} key`);
      if (own.length === 0) fail("SyntaxError", "Usages cannot be empty when creating a key.");
      const rsa = kind === "RSA";
      const exponent = rsa ? text(bytesOf(algorithm.publicExponent)) : "";
      if (rsa && exponent !== "AQAB") fail("OperationError", "The public exponent must be 65537");
      const pair = go("generate", { kind, bits: Number(algorithm.modulusLength ?? 0), curve: String(algorithm.namedCurve) });
      return {
        publicKey: paired(pair.public, "public", algorithm, true, other),
        privateKey: paired(pair.private, "private", algorithm, extractable, own),
      };
    },
    async importKey(format, data, algorithm, extractable, usages) {
      algorithm = algorithmOf(algorithm);
      const { symmetric, derives } = algorithms[algorithm.name];
      if (symmetric || derives) {
        if (format === "raw") return secret(bytesOf(data).slice(0), algorithm, extractable, usages);
        if (format !== "jwk" || derives) fail("NotSupportedError", `Unable to import ${algorithm.name} key using ${format} format`);
        if (readJWK(data, extractable, [...usages]).kty !== "oct" || typeof data.k !== "string") fail("DataError", "Invalid keyData");
        return secret(new Uint8Array(Buffer.from(data.k, "base64url")).buffer.slice(0), algorithm, extractable, usages);
      }
      const curve = curveOf(algorithm);
      switch (format) {
        case "pkcs8":
          return paired(bytesOf(data).slice(0), "private", algorithm, extractable, usages);
        case "spki":
          return paired(bytesOf(data).slice(0), "public", algorithm, extractable, usages);
        case "raw":
          if (!curve) break;
          return paired(go("point", { curve, data: bytesOf(data) }), "public", algorithm, extractable, usages);
        case "jwk": {
          const type = readJWK(data, extractable, [...usages]).d === undefined ? "public" : "private";
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
        const alg = name === "HMAC" ? "HS" + key.algorithm.hash.name.slice(4) : `A${key.algorithm.length}${algorithms[name].aes}`;
        if (format === "jwk") return { ...own, kty: "oct", k: text(bytes), alg };
      } else if (format === (key.type === "public" ? "spki" : "pkcs8")) return bytes.slice(0);
      else if (format === "raw" && curveOf(key.algorithm) && key.type === "public") return go("raw", { der: bytes });
      else if (format === "jwk") {
        const jwk = { ...own, ...JSON.parse(go("toJWK", { der: bytes, type: key.type })) };
        const bits = key.algorithm.hash?.name.slice(4);
        if (name === "RSA-OAEP") jwk.alg = bits === "1" ? name : `${name}-${bits}`;
        else if (name === "Ed25519") jwk.alg = name;
        else if (bits) jwk.alg = (name === "RSA-PSS" ? "PS" : "RS") + bits;
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
    async wrapKey(format, key, wrappingKey, algorithm) {
      algorithm = algorithmOf(algorithm);
      use(wrappingKey, algorithm, "wrapKey");
      const exported = await subtle.exportKey(format, key);
      let data = format === "jwk" ? new TextEncoder().encode(JSON.stringify(exported)) : exported;
      // As Node: spaces make a JSON text fit.
      if (format === "jwk" && algorithm.name === "AES-KW") data = new TextEncoder().encode(JSON.stringify(exported).padEnd(Math.ceil(data.byteLength / 8) * 8));
      return cipher("encrypt", algorithm, wrappingKey, data, "wrapKey");
    },
    async unwrapKey(format, wrapped, unwrappingKey, algorithm, unwrappedAlgorithm, extractable, usages) {
      const data = cipher("decrypt", algorithmOf(algorithm), unwrappingKey, wrapped, "unwrapKey");
      if (format !== "jwk") return subtle.importKey(format, data, unwrappedAlgorithm, extractable, usages);
      let jwk;
      try {
        jwk = JSON.parse(new TextDecoder().decode(data));
      } catch {
        fail("DataError", "Invalid wrapped JWK key");
      }
      return subtle.importKey("jwk", jwk, unwrappedAlgorithm, extractable, usages);
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
