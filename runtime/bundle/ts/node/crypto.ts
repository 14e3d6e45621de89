// node:crypto on Go's cryptography: what can be had at once from whole texts. Streams are not
// here.
import { bytesOf, either, failure } from './data';
import { host } from './host';
import { constants, createPrivateKey, createPublicKey, createSecretKey, generateKeyPair, KeyObject, pemOf, secretOf } from './keys';

const g: any = globalThis;
function out(bytes: ArrayBuffer, encoding?: string): any {
  const buffer = g.Buffer.from(bytes);
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
}

class Pieces {
  #pieces: Uint8Array[] = [];
  add(data: any, encoding?: string): void {
    const bytes = bytesOf(data, encoding);
    this.#pieces.push(typeof data === 'string' ? bytes : new Uint8Array(bytes)); // its owner may change it
  }
  all(): Uint8Array {
    return g.Buffer.concat(this.#pieces);
  }
  copy(): Pieces {
    const copy = new Pieces();
    copy.#pieces = [...this.#pieces];
    return copy;
  }
}

const finished = (code: string, message: string) => failure(Error, code, message);

class Hash {
  #pieces: Pieces | undefined = new Pieces();
  constructor(readonly algorithm: string, pieces?: Pieces) {
    if (pieces) this.#pieces = pieces;
    else host.digest(algorithm, new Uint8Array()); // says at once that there is no such algorithm
  }
  update(data: any, encoding?: string): this {
    if (!this.#pieces) throw finished('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.#pieces.add(data, encoding);
    return this;
  }
  digest(encoding?: string): any {
    if (!this.#pieces) throw finished('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    const data = this.#pieces.all();
    this.#pieces = undefined;
    return out(host.digest(this.algorithm, data), encoding);
  }
  copy(): Hash {
    if (!this.#pieces) throw finished('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    return new Hash(this.algorithm, this.#pieces.copy());
  }
}

class Hmac {
  #pieces: Pieces | undefined = new Pieces();
  readonly #key: Uint8Array;
  constructor(readonly algorithm: string, key: any) {
    this.#key = new Uint8Array(secretOf(key));
    host.hmac(algorithm, this.#key, new Uint8Array());
  }
  update(data: any, encoding?: string): this {
    if (!this.#pieces) throw finished('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.#pieces.add(data, encoding);
    return this;
  }
  digest(encoding?: string): any {
    const data = this.#pieces?.all();
    this.#pieces = undefined;
    if (!data) return encoding ? '' : g.Buffer.alloc(0); // as Node
    return out(host.hmac(this.algorithm, this.#key, data), encoding);
  }
}

const isAEAD = (name: string) => name.endsWith('-gcm');
const tagLength = 16;

// The result comes from final: Go seals and opens whole texts.
class Cipher {
  #pieces: Pieces | undefined = new Pieces();
  #additional = new Pieces();
  #padding = true;
  #tag: Uint8Array | undefined;
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;
  constructor(readonly encrypt: boolean, readonly name: string, key: any, iv: any) {
    this.name = name.toLowerCase();
    this.#key = new Uint8Array(secretOf(key));
    this.#iv = iv === null ? new Uint8Array() : new Uint8Array(bytesOf(iv));
    if (!/^aes-(128|192|256)-(gcm|cbc|ctr)$/.test(this.name)) throw failure(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', `Unknown cipher: there are aes-128, aes-192 and aes-256 with gcm, cbc and ctr`);
    if (this.#key.length * 8 !== Number(this.name.slice(4, 7))) throw failure(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    if (this.name.endsWith('-gcm') ? this.#iv.length === 0 : this.#iv.length !== 16) throw failure(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
  }
  setAAD(data: any): this {
    this.#additional.add(data);
    return this;
  }
  setAutoPadding(padding = true): this {
    this.#padding = padding;
    return this;
  }
  setAuthTag(tag: any, encoding?: string): this {
    this.#tag = new Uint8Array(bytesOf(tag, encoding));
    if (this.#tag.length !== tagLength) throw failure(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${this.#tag.length}`);
    return this;
  }
  getAuthTag(): any {
    if (!this.#tag || !this.encrypt) throw failure(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
    return g.Buffer.from(this.#tag);
  }
  update(data: any, from?: string, to?: string): any {
    if (!this.#pieces) throw failure(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation update');
    this.#pieces.add(data, from);
    return to && to !== 'buffer' ? '' : g.Buffer.alloc(0);
  }
  final(encoding?: string): any {
    if (!this.#pieces) throw failure(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation final');
    let data = this.#pieces.all();
    this.#pieces = undefined;
    if (isAEAD(this.name) && !this.encrypt) {
      if (!this.#tag) throw new Error('Unsupported state or unable to authenticate data');
      data = g.Buffer.concat([data, this.#tag]);
    }
    let result = host.cipher(this.name, this.encrypt, this.#key, this.#iv, data, this.#additional.all(), this.#padding);
    if (isAEAD(this.name) && this.encrypt) {
      this.#tag = new Uint8Array(result.slice(-tagLength));
      result = result.slice(0, -tagLength);
    }
    return out(result, encoding);
  }
}

class Signing {
  #pieces = new Pieces();
  constructor(readonly algorithm: string) {}
  update(data: any, encoding?: string): this {
    this.#pieces.add(data, encoding);
    return this;
  }
  sign(key: any, encoding?: string): any {
    return sign(this.algorithm, this.#pieces.all(), key, encoding);
  }
  verify(key: any, signature: any, encoding?: string): boolean {
    return verify(this.algorithm, this.#pieces.all(), key, bytesOf(signature, encoding));
  }
}

function sign(algorithm: string | null, data: any, key: any, encoding?: string): any {
  const { p1363, pss, salt } = signatureOf(key);
  return out(host.sign(algorithm ?? '', pemOf(key, true), bytesOf(data), p1363, pss, salt), encoding);
}

function verify(algorithm: string | null, data: any, key: any, signature: any): boolean {
  const { p1363, pss, salt } = signatureOf(key);
  return host.verify(algorithm ?? '', pemOf(key, false), bytesOf(data), bytesOf(signature), p1363, pss, salt);
}

function signatureOf(key: any): { p1363: boolean; pss: boolean; salt: number } {
  return { p1363: key?.dsaEncoding === 'ieee-p1363', pss: key?.padding === constants.RSA_PKCS1_PSS_PADDING, salt: key?.saltLength ?? constants.RSA_PSS_SALTLEN_AUTO };
}

function cryptRSA(encrypt: boolean, key: any, data: any): any {
  const padding = key?.padding ?? constants.RSA_PKCS1_OAEP_PADDING;
  if (padding !== constants.RSA_PKCS1_OAEP_PADDING && padding !== constants.RSA_PKCS1_PADDING) {
    throw failure(TypeError, 'ERR_INVALID_ARG_VALUE', 'The padding must be RSA_PKCS1_OAEP_PADDING or RSA_PKCS1_PADDING');
  }
  const hash = padding === constants.RSA_PKCS1_OAEP_PADDING ? (key?.oaepHash ?? 'sha1') : '';
  return out(host.cryptRSA(encrypt, pemOf(key, !encrypt), bytesOf(data), hash, key?.oaepLabel === undefined ? new Uint8Array() : bytesOf(key.oaepLabel)));
}

/** What Node's module has and this one hasn't: asked for, it says so by name. */
const absent = ['Certificate', 'DiffieHellman', 'ECDH', 'X509Certificate', 'checkPrime', 'checkPrimeSync', 'createDiffieHellman', 'createDiffieHellmanGroup', 'createECDH',
  'generatePrime', 'generatePrimeSync', 'getDiffieHellman', 'privateEncrypt', 'publicDecrypt', 'scrypt', 'scryptSync', 'argon2', 'argon2Sync', 'secureHeapUsed', 'setEngine', 'setFips'];

function randomBytes(size: number): any {
  if (!(Number.isInteger(size) && size >= 0 && size <= 0x7fffffff)) throw failure(RangeError, 'ERR_OUT_OF_RANGE', `The value of "size" is out of range. It must be >= 0 && <= 2147483647. Received ${size}`);
  const buffer = g.Buffer.alloc(size);
  for (let at = 0; at < size; at += 65536) g.crypto.getRandomValues(buffer.subarray(at, Math.min(at + 65536, size)));
  return buffer;
}

function randomInt(low: number, high?: number): number {
  if (high === undefined) [low, high] = [0, low];
  const range = high - low;
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || !(range > 0 && range <= 2 ** 48 - 1)) {
    throw failure(RangeError, 'ERR_OUT_OF_RANGE', `The value of "max" is out of range. It must be greater than the value of "min" (${low}) and within 2 ** 48 of it. Received ${high}`);
  }
  const limit = 2 ** 48 - (2 ** 48 % range); // above it the low numbers would be likelier
  for (;;) {
    const drawn = randomBytes(6).readUIntBE(0, 6);
    if (drawn < limit) return low + (drawn % range);
  }
}

export function make(): any {
  const pbkdf2Sync = (password: any, salt: any, iterations: number, length: number, digest: string) =>
    out(host.pbkdf2(digest, bytesOf(password), bytesOf(salt), iterations, length));
  const hkdfSync = (digest: string, key: any, salt: any, info: any, length: number) => host.hkdf(digest, bytesOf(key), bytesOf(salt), bytesOf(info), length);
  const fill = (array: any) => {
    bytesOf(array).set(randomBytes(array.byteLength));
    return array;
  };
  const module: any = {
    createHash: (algorithm: string) => new Hash(algorithm),
    createHmac: (algorithm: string, key: any) => new Hmac(algorithm, key),
    hash: (algorithm: string, data: any, encoding = 'hex') => out(host.digest(algorithm, bytesOf(data)), encoding),
    getHashes: () => host.hashes(),
    randomBytes: either(randomBytes),
    randomInt: either(randomInt),
    randomUUID: () => g.crypto.randomUUID(),
    randomFillSync: fill,
    getRandomValues: (array: any) => g.crypto.getRandomValues(array),
    timingSafeEqual(a: any, b: any) {
      const [x, y] = [bytesOf(a), bytesOf(b)];
      if (x.length !== y.length) throw failure(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
      return host.equal(x, y);
    },
    pbkdf2Sync,
    pbkdf2: either(pbkdf2Sync),
    hkdfSync,
    hkdf: either(hkdfSync),
    createCipheriv: (name: string, key: any, iv: any) => new Cipher(true, name, key, iv),
    createDecipheriv: (name: string, key: any, iv: any) => new Cipher(false, name, key, iv),
    getCiphers: () => ['128', '192', '256'].flatMap((bits) => ['cbc', 'ctr', 'gcm'].map((mode) => `aes-${bits}-${mode}`)),
    createSign: (algorithm: string) => new Signing(algorithm),
    createVerify: (algorithm: string) => new Signing(algorithm),
    sign,
    verify,
    KeyObject,
    createSecretKey,
    createPrivateKey,
    createPublicKey,
    generateKeySync: (_: string, { length }: { length: number }) => createSecretKey(randomBytes(length / 8)),
    generateKeyPairSync: generateKeyPair,
    // With two results, which promisify takes for an object.
    generateKeyPair: Object.assign(
      (kind: string, options: any, callback: (error: unknown, publicKey?: any, privateKey?: any) => void) =>
        setTimeout(() => {
          let pair: any;
          try {
            pair = generateKeyPair(kind, options);
          } catch (error) {
            return callback(error);
          }
          callback(null, pair.publicKey, pair.privateKey);
        }, 0),
      { [Symbol.for('nodejs.util.promisify.custom')]: async (kind: string, options: any) => generateKeyPair(kind, options) }
    ),
    diffieHellman: ({ privateKey, publicKey }: any) => out(host.agree(pemOf(privateKey, true), pemOf(publicKey, false))),
    publicEncrypt: (key: any, data: any) => cryptRSA(true, key, data),
    privateDecrypt: (key: any, data: any) => cryptRSA(false, key, data),
    getCurves: () => ['prime256v1', 'secp384r1', 'secp521r1'],
    randomFill: either((array: any) => fill(array)),
    webcrypto: g.crypto,
    subtle: g.crypto.subtle,
    constants,
  };
  for (const name of absent) {
    module[name] = function () {
      throw new TypeError(`node:crypto's ${name} isn't here: Go's standard library, which this module stands on, has no such thing`);
    };
  }
  return module;
}
