// Key objects of node:crypto. Keys of pairs are PEM here, and Go reads it at each use.
import { bytesOf, failure } from './data';
import { host } from './host';

const g: any = globalThis;

export const constants = {
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6,
  RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
};

interface Known {
  pem: string;
  kind: string;
  bits?: number;
  curve?: string;
  jwk: string;
}

const token = {};

export class KeyObject {
  readonly #secret?: Uint8Array;
  readonly #known?: Known;
  constructor(by: unknown, readonly type: 'secret' | 'public' | 'private', content: Uint8Array | Known) {
    if (by !== token) throw failure(TypeError, 'ERR_INVALID_ARG_VALUE', 'Key objects are made by createSecretKey, createPublicKey and createPrivateKey');
    if (type === 'secret') this.#secret = content as Uint8Array;
    else this.#known = content as Known;
  }
  get asymmetricKeyType(): string | undefined {
    return this.#known?.kind;
  }
  get asymmetricKeyDetails(): object | undefined {
    if (!this.#known) return undefined;
    const { bits, curve } = this.#known;
    return bits ? { modulusLength: bits, publicExponent: 65537n } : curve ? { namedCurve: curve } : {};
  }
  get symmetricKeySize(): number | undefined {
    return this.#secret?.length;
  }
  export(options: any = {}): any {
    if (this.#secret) {
      return options.format === 'jwk' ? { kty: 'oct', k: g.Buffer.from(this.#secret).toString('base64url') } : g.Buffer.from(this.#secret);
    }
    const { pem, jwk } = this.#known!;
    if (options.format === 'jwk') return JSON.parse(jwk);
    const wanted = this.type === 'public' ? 'spki' : 'pkcs8';
    if (options.cipher) throw new TypeError("Keys can't be encrypted here: export them without cipher");
    if (options.type !== undefined && options.type !== wanted) throw failure(TypeError, 'ERR_INVALID_ARG_VALUE', `Keys of this kind are exported as ${wanted}`);
    if (options.format === 'pem') return pem;
    if (options.format === 'der') return g.Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    throw failure(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.format' is invalid. Received ${options.format}`);
  }
  equals(other: unknown): boolean {
    if (!(other instanceof KeyObject) || other.type !== this.type) return false;
    return this.#secret ? host.equal(this.#secret, other.#secret!) : this.#known!.pem === other.#known!.pem;
  }
  get [Symbol.toStringTag](): string {
    return 'KeyObject';
  }
  static pem(key: KeyObject): string | undefined {
    return key.#known?.pem;
  }
  static secret(key: KeyObject): Uint8Array | undefined {
    return key.#secret;
  }
}

/** The bytes of what Node takes for a secret key. */
export const secretOf = (key: any): Uint8Array => (key instanceof KeyObject ? (KeyObject.secret(key) ?? wrongType('secret')) : bytesOf(key));

function wrongType(wanted: string): never {
  throw failure(TypeError, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', `Invalid key object type, expected ${wanted}.`);
}

function known(key: any, isPrivate: boolean): Known {
  if (key?.passphrase !== undefined) throw new TypeError("Keys with a passphrase can't be read here");
  const data = typeof key === 'string' || ArrayBuffer.isView(key) || key instanceof ArrayBuffer ? key : key?.key;
  const format = key?.format ?? 'pem';
  if (data instanceof KeyObject) return known(KeyObject.pem(data) ?? wrongType('private or public'), isPrivate);
  if (format === 'jwk' && typeof data === 'object') return JSON.parse(host.key('jwk', g.Buffer.from(JSON.stringify(data)), isPrivate));
  if (data === undefined || data === null) throw failure(TypeError, 'ERR_INVALID_ARG_TYPE', 'The key must be PEM text, a Buffer, a KeyObject, or an object with one of them as "key"');
  return JSON.parse(host.key(format, bytesOf(data, key?.encoding), isPrivate));
}

/** PEM of what Node takes for a key. */
export function pemOf(key: any, isPrivate: boolean): string {
  if (key instanceof KeyObject) {
    if (isPrivate && key.type !== 'private') wrongType('private');
    return KeyObject.pem(key) ?? wrongType('private or public');
  }
  return known(key, isPrivate).pem;
}

export const createSecretKey = (key: any, encoding?: string) => new KeyObject(token, 'secret', new Uint8Array(bytesOf(key, encoding)));
export const createPrivateKey = (key: any) => new KeyObject(token, 'private', known(key, true));
export function createPublicKey(key: any): KeyObject {
  return new KeyObject(token, 'public', known(key instanceof KeyObject ? (KeyObject.pem(key) ?? wrongType('private')) : key, false));
}

export function generateKeyPair(kind: string, options: any = {}): any {
  const [own, other] = host.keyPair(kind, Number(options.modulusLength ?? 0), String(options.namedCurve ?? '')).map((text) => JSON.parse(text));
  const encoded = (key: KeyObject, encoding: any) => (encoding ? key.export(encoding) : key);
  return {
    publicKey: encoded(new KeyObject(token, 'public', other), options.publicKeyEncoding),
    privateKey: encoded(new KeyObject(token, 'private', own), options.privateKeyEncoding),
  };
}
