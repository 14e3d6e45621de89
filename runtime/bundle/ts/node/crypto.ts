// node:crypto on Go's cryptography: what can be had at once from whole texts. Streams are not
// here.
import { bytesOf, either, failure } from './data';
import { isFunction, isInteger, isObject, isString, outOfRange, wrongType } from './errors';
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

const texts = 'ArrayBuffer, Buffer, TypedArray, or DataView';

/** What Go says of data, in OpenSSL's words. */
function said<T>(f: () => T): T {
  try {
    return f();
  } catch (error: any) {
    const [number, where, reason] =
      error.message === 'bad decrypt'
        ? ['1C800064', 'Provider routines', error.message]
        : error.message === 'wrong final block length'
          ? ['1C80006B', 'Provider routines', error.message]
          : (/^error:(\w+):([^:]+)::(.*)$/.exec(error.message) ?? []).slice(1);
    if (reason === undefined) throw error;
    throw Object.assign(failure(Error, `ERR_OSSL_${where.startsWith('digital') ? 'EVP_' : ''}${reason.toUpperCase().replace(/ /g, '_')}`, `error:${number}:${where}::${reason}`), { library: where, reason });
  }
}

/** The name of a hash for what is derived by one. */
function digestNamed(name: any, argument = 'digest'): string {
  isString(name, argument);
  try {
    host.digest(name, new Uint8Array(), -1);
  } catch {
    throw failure(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
  }
  return name;
}

// A hash is a stream, too; the module of streams is loaded for who uses it as one.
let streams: () => any;
const whole = Symbol('whole');
const asStream = (Class: any) => {
  const streamOf = new WeakMap<object, any>();
  const stream = (hash: any) => {
    let made = streamOf.get(hash);
    if (made) return made;
    const { Transform } = streams();
    made = new Transform({
      transform(chunk: any, encoding: any, done: any) {
        hash.update(chunk, encoding);
        done();
      },
      flush(this: any, done: any) {
        this.push(hash[whole]()); // digest may still be called
        done();
      },
    });
    streamOf.set(hash, made);
    return made;
  };
  const members = ['write', 'end', 'read', 'pipe', 'unpipe', 'on', 'once', 'off', 'emit', 'addListener', 'removeListener', 'removeAllListeners', 'prependListener', 'listenerCount', 'listeners', 'setEncoding', 'pause', 'resume', 'destroy', 'cork', 'uncork', 'toArray',
    'writable', 'readable', 'destroyed', 'writableEnded', 'readableEnded', 'writableFinished', 'writableNeedDrain', 'writableLength', 'readableFlowing', 'readableObjectMode', 'writableObjectMode', 'errored', 'closed', '_writableState', '_readableState', Symbol.asyncIterator];
  for (const name of members) {
    if (name in Class.prototype) continue;
    Object.defineProperty(Class.prototype, name, {
      configurable: true,
      get(this: any) {
        const made = stream(this);
        const value = made[name];
        if (typeof value !== 'function') return value;
        return (...args: any[]) => {
          const result = value.apply(made, args);
          return result === made ? this : result;
        };
      },
    });
  }
};

class Hash {
  #pieces: Pieces | undefined = new Pieces();
  readonly #algorithm: string;
  readonly #length: number;
  constructor(algorithm: string, options?: { outputLength?: number }, pieces?: Pieces) {
    isString(algorithm, 'algorithm');
    const length = options?.outputLength;
    if (length !== undefined) isInteger(length, 'options.outputLength', 0, 0xffffffff);
    this.#algorithm = algorithm;
    this.#length = length ?? -1;
    if (pieces) this.#pieces = pieces;
    else said(() => host.digest(algorithm, new Uint8Array(), this.#length)); // says at once that there is no such algorithm
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
    return out(host.digest(this.#algorithm, data, this.#length), encoding);
  }
  [whole](): any {
    return this.copy().digest();
  }
  copy(options?: { outputLength?: number }): Hash {
    if (!this.#pieces) throw finished('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    return new Hash(this.#algorithm, options ?? (this.#length < 0 ? undefined : { outputLength: this.#length }), this.#pieces.copy());
  }
}

class Hmac {
  #pieces: Pieces | undefined = new Pieces();
  readonly #key: Uint8Array;
  readonly #algorithm: string;
  constructor(algorithm: string, key: any) {
    isString(algorithm, 'hmac');
    if (key === null || key === undefined) throw wrongType('key', 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey', key);
    this.#key = new Uint8Array(secretOf(key));
    this.#algorithm = digestNamed(algorithm, 'hmac');
  }
  update(data: any, encoding?: string): this {
    if (!this.#pieces) throw finished('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.#pieces.add(data, encoding);
    return this;
  }
  [whole](): any {
    return out(host.hmac(this.#algorithm, this.#key, this.#pieces?.all() ?? new Uint8Array()));
  }
  digest(encoding?: string): any {
    const data = this.#pieces?.all();
    this.#pieces = undefined;
    if (!data) return encoding ? '' : g.Buffer.alloc(0); // as Node
    return out(host.hmac(this.#algorithm, this.#key, data), encoding);
  }
}

const isAEAD = (name: string) => name.endsWith('-gcm') || name === 'chacha20-poly1305';
const tagLength = 16;

// The result comes from final: Go seals and opens whole texts.
class Cipher {
  #pieces: Pieces | undefined = new Pieces();
  #additional = new Pieces();
  #padding = true;
  #tag: Uint8Array | undefined;
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;
  readonly #tagLength: number;
  constructor(readonly encrypt: boolean, readonly name: string, key: any, iv: any, options?: { authTagLength?: number }) {
    isString(name, 'cipher');
    this.#key = new Uint8Array(secretOf(key));
    this.#iv = iv === null ? new Uint8Array() : new Uint8Array(bytesOf(iv, undefined, 'iv', texts));
    const info = cipherInfo(name);
    if (!info) {
      const missing = /^(?:id-)?(?:aes|aria|bf|camellia|cast|chacha20|des|rc|seed|sm4)/i.test(name);
      throw failure(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', missing ? `Unknown cipher: there are aes-128, aes-192 and aes-256 with gcm, cbc, ctr and ecb, chacha20-poly1305 and des-ede3-cbc` : 'Unknown cipher');
    }
    this.name = info.known;
    if (this.#key.length !== info.keyLength) throw failure(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    if (info.mode === 'gcm' ? this.#iv.length === 0 : this.#iv.length !== (info.ivLength ?? 0)) throw failure(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
    this.#tagLength = options?.authTagLength ?? tagLength;
    if (isAEAD(this.name) && !(this.#tagLength === 4 || this.#tagLength === 8 || (this.#tagLength >= 12 && this.#tagLength <= 16))) {
      throw failure(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${this.#tagLength}`);
    }
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
    if (!this.#pieces) throw new Error('Trying to add data in unsupported state');
    this.#pieces.add(data, from);
    return to && to !== 'buffer' ? '' : g.Buffer.alloc(0);
  }
  final(encoding?: string): any {
    if (!this.#pieces) throw failure(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state');
    let data = this.#pieces.all();
    this.#pieces = undefined;
    if (isAEAD(this.name) && !this.encrypt) {
      if (!this.#tag) throw new Error('Unsupported state or unable to authenticate data');
      data = g.Buffer.concat([data, this.#tag]);
    }
    let result = said(() => host.cipher(this.name, this.encrypt, this.#key, this.#iv, data, this.#additional.all(), this.#padding));
    if (isAEAD(this.name) && this.encrypt) {
      this.#tag = new Uint8Array(result.slice(-tagLength)).subarray(0, this.#tagLength);
      result = result.slice(0, -tagLength);
    }
    return out(result, encoding);
  }
}

/** A cipher by one of its names; known is ours. */
function cipherInfo(name: any, options?: { keyLength?: number; ivLength?: number }): any {
  const text = `${name}`.toLowerCase();
  const [, bits, mode = 'cbc'] = /^(?:id-)?aes-?(128|192|256)(?:-(gcm|cbc|ctr|ecb))?$/.exec(text) ?? [];
  const nids: any = { ecb: [418, 422, 426], cbc: [419, 423, 427], ctr: [904, 905, 906], gcm: [895, 898, 901] };
  let info: any;
  if (bits) {
    const known = `aes-${bits}-${mode}`;
    const block = mode === 'gcm' || mode === 'ctr' ? 1 : 16;
    info = { known, mode, name: mode === 'gcm' ? `id-aes${bits}-gcm` : known, nid: nids[mode][(Number(bits) - 128) / 64], blockSize: block, ...(mode !== 'ecb' && { ivLength: mode === 'gcm' ? 12 : 16 }), keyLength: Number(bits) / 8 };
  } else if (text === 'des-ede3-cbc' || text === 'des3') info = { known: 'des-ede3-cbc', mode: 'cbc', name: 'des-ede3-cbc', nid: 44, blockSize: 8, ivLength: 8, keyLength: 24 };
  else if (text === 'chacha20-poly1305') info = { known: text, mode: 'stream', name: text, nid: 1018, ivLength: 12, keyLength: 32 };
  if (!info || (options?.keyLength !== undefined && options.keyLength !== info.keyLength)) return undefined;
  if (options?.ivLength !== undefined && options.ivLength !== info.ivLength && info.mode !== 'gcm') return undefined;
  return info;
}

function scrypt(password: any, salt: any, length: any, options: any = {}): any {
  const [secret, grain] = [bytesOf(password, undefined, 'password', texts), bytesOf(salt, undefined, 'salt', texts)];
  isInteger(length, 'keylen', 0, 0x7fffffff);
  const { N = options.cost ?? 16384, r = options.blockSize ?? 8, p = options.parallelization ?? 1, maxmem = 32 * 1024 * 1024 } = options;
  for (const [name, value] of Object.entries({ N, r, p })) isInteger(value, name, 0, 0xffffffff);
  isInteger(maxmem, 'maxmem', 0);
  try {
    return out(host.scrypt(secret, grain, N, r, p, length, maxmem));
  } catch (error: any) {
    throw error.message.startsWith('Invalid scrypt params') ? failure(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', error.message) : error;
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
  'generatePrime', 'generatePrimeSync', 'getDiffieHellman', 'privateEncrypt', 'publicDecrypt', 'argon2', 'argon2Sync', 'secureHeapUsed', 'setEngine', 'setFips'];

function randomBytes(size: number): any {
  if (typeof size !== 'number') throw wrongType('size', 'of type number', size);
  if (!(Number.isInteger(size) && size >= 0 && size <= 0x7fffffff)) throw failure(RangeError, 'ERR_OUT_OF_RANGE', `The value of "size" is out of range. It must be >= 0 && <= 2147483647. Received ${size}`);
  const buffer = g.Buffer.alloc(size);
  for (let at = 0; at < size; at += 65536) g.crypto.getRandomValues(buffer.subarray(at, Math.min(at + 65536, size)));
  return buffer;
}

function randomInt(low: number, high?: number): number {
  if (high === undefined) [low, high] = [0, low];
  if (!Number.isSafeInteger(low)) throw wrongType('min', 'a safe integer', low);
  if (!Number.isSafeInteger(high)) throw wrongType('max', 'a safe integer', high);
  const range = high - low;
  if (range <= 0) throw outOfRange('max', `greater than the value of "min" (${low})`, high);
  if (range > 2 ** 48 - 1) throw outOfRange('max' + (low === 0 ? '' : ' - min'), `<= ${2 ** 48 - 1}`, range);
  const limit = 2 ** 48 - (2 ** 48 % range); // above it the low numbers would be likelier
  for (;;) {
    const drawn = randomBytes(6).readUIntBE(0, 6);
    if (drawn < limit) return low + (drawn % range);
  }
}

export function make(loaded: () => any): any {
  streams = loaded;
  asStream(Hash);
  asStream(Hmac);
  const pbkdf2Sync = (password: any, salt: any, iterations: number, length: number, digest: string) => {
    isString(digest, 'digest');
    const [secret, grain] = [bytesOf(password, undefined, 'password', texts), bytesOf(salt, undefined, 'salt', texts)];
    isInteger(iterations, 'iterations', 1, 0x7fffffff);
    isInteger(length, 'keylen', 0, 0x7fffffff);
    return out(host.pbkdf2(digestNamed(digest), secret, grain, iterations, length));
  };
  const hkdfSync = (digest: string, key: any, salt: any, info: any, length: number) => {
    isString(digest, 'digest');
    isInteger(length, 'length', 0, 0x7fffffff);
    const size = host.digest(digestNamed(digest), new Uint8Array(), -1).byteLength;
    if (length > 255 * size) throw failure(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    return host.hkdf(digest, bytesOf(secretOf(key)), bytesOf(salt, undefined, 'salt', texts), bytesOf(info, undefined, 'info', texts), length);
  };
  const fill = (array: any, offset = 0, size?: number) => {
    if (!ArrayBuffer.isView(array) && !(array instanceof ArrayBuffer)) throw wrongType('buf', 'an instance of ArrayBuffer or ArrayBufferView', array);
    const unit = (array as any).BYTES_PER_ELEMENT ?? 1;
    isInteger(offset, 'offset', 0, array.byteLength / unit);
    const length = size ?? array.byteLength / unit - offset;
    if (offset + length > array.byteLength / unit) throw outOfRange('size + offset', `<= ${array.byteLength}`, offset + length);
    bytesOf(array).set(randomBytes(length * unit), offset * unit);
    return array;
  };
  const called = (f: any) => {
    const both = either(f);
    return (...args: any[]) => {
      if (typeof args[args.length - 1] !== 'function') isFunction(undefined, 'callback');
      return both(...args);
    };
  };
  const module: any = {
    Hash,
    Hmac,
    Sign: Signing,
    Verify: Signing,
    createHash: (algorithm: string, options?: any) => new Hash(algorithm, options),
    createHmac: (algorithm: string, key: any) => new Hmac(algorithm, key),
    hash(algorithm: any, data: any, encoding = 'hex') {
      isString(algorithm, 'algorithm');
      return out(host.digest(algorithm, bytesOf(data, undefined, 'input'), -1), encoding);
    },
    fips: false,
    getFips: () => 0,
    getCipherInfo(name: any, options?: any) {
      const { known: _, ...info } = cipherInfo(name, options) ?? {};
      return info.name === undefined ? undefined : info;
    },
    pseudoRandomBytes: either(randomBytes),
    scrypt: called(scrypt),
    scryptSync: scrypt,
    getHashes: () => host.hashes(),
    randomBytes: either(randomBytes),
    randomInt: either(randomInt),
    randomUUID(options?: any) {
      if (options !== undefined) isObject(options, 'options');
      if (options?.disableEntropyCache !== undefined && typeof options.disableEntropyCache !== 'boolean') throw wrongType('options.disableEntropyCache', 'of type boolean', options.disableEntropyCache);
      return g.crypto.randomUUID();
    },
    randomFillSync: fill,
    getRandomValues: (array: any) => g.crypto.getRandomValues(array),
    timingSafeEqual(a: any, b: any) {
      for (const [name, value] of [['buf1', a], ['buf2', b]]) {
        if (!ArrayBuffer.isView(value) && !((value as any) instanceof ArrayBuffer)) {
          throw failure(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`);
        }
      }
      const [x, y] = [bytesOf(a), bytesOf(b)];
      if (x.length !== y.length) throw failure(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
      return host.equal(x, y);
    },
    pbkdf2Sync,
    pbkdf2: called(pbkdf2Sync),
    hkdfSync,
    hkdf: called(hkdfSync),
    createCipheriv: (name: string, key: any, iv: any, options?: any) => new Cipher(true, name, key, iv, options),
    createDecipheriv: (name: string, key: any, iv: any, options?: any) => new Cipher(false, name, key, iv, options),
    getCiphers: () => ['128', '192', '256'].flatMap((bits) => ['cbc', 'ctr', 'ecb', 'gcm'].map((mode) => `aes-${bits}-${mode}`)).concat('chacha20-poly1305', 'des-ede3-cbc'),
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
    randomFill: called(fill),
    webcrypto: g.crypto,
    subtle: g.crypto.subtle,
    constants,
  };
  for (const name of absent) {
    module[name] = function () {
      throw new TypeError(`node:crypto's ${name} isn't here: this module has no such thing`);
    };
  }
  return module;
}
