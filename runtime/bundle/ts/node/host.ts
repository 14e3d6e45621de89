type Bytes = Uint8Array | ArrayBuffer;

/** Requests as Go makes them: see runtime/platform/fetch. With raw, the response's body stays encoded. */
export interface Requests {
  maxRequests: number;
  requestsSetting: string;
  send(method: string, url: string, headers: string[][], body: ArrayBuffer | 'stream' | undefined, redirect: string, resolve: (head: any) => void, reject: (trouble: any) => void, raw: true): number;
  chunk(id: number, resolve: (bytes: ArrayBuffer | undefined) => void, reject: (trouble: any) => void): void;
  write(id: number, bytes: Uint8Array, resolve: () => void, reject: (trouble: any) => void): void;
  endWrite(id: number, whole: boolean): void;
  stop(id: number): void;
  refused(error: Error): void;
}

/** What Go gives the bundle when it is loaded into the runtime of one execution. All of it takes and gives bytes. */
export interface Host {
  /** Node's assert, which workflows have too, and how it is told what to say: each time a new one. */
  assert(): { assert: any; setWords(words: (operator: string, actual: unknown, expected: unknown, message: unknown) => string | undefined): void };
  /** What fetch sends with. */
  requests(): Requests;
  /** A promise's state and what it was settled with. */
  promise(promise: unknown): ['pending' | 'fulfilled' | 'rejected', unknown];
  /** A proxy's target and handler; undefined of all other values. */
  proxy(value: unknown): [unknown, unknown] | undefined;
  /** The text of an error's stack as V8 writes it. */
  stack(text: unknown): unknown;
  hashes(): string[];
  /** length is below 0 for the usual one. */
  digest(algorithm: string, data: Bytes, length: number): ArrayBuffer;
  scrypt(password: Bytes, salt: Bytes, N: number, r: number, p: number, length: number, most: number): ArrayBuffer;
  hmac(algorithm: string, key: Bytes, data: Bytes): ArrayBuffer;
  equal(a: Bytes, b: Bytes): boolean;
  pbkdf2(algorithm: string, password: Bytes, salt: Bytes, iterations: number, length: number): ArrayBuffer;
  hkdf(algorithm: string, key: Bytes, salt: Bytes, info: Bytes, length: number): ArrayBuffer;
  /** The whole text at once; with GCM the tag is at its end. */
  cipher(name: string, encrypt: boolean, key: Bytes, iv: Bytes, data: Bytes, additional: Bytes, padding: boolean): ArrayBuffer;
  /** An operation of node:zlib, on the whole text. */
  zlib(operation: string, data: Bytes, level: number): ArrayBuffer;
  crc32(data: Bytes, before: number): number;
  sign(algorithm: string, key: string, data: Bytes, p1363: boolean, pss: boolean, salt: number): ArrayBuffer;
  verify(algorithm: string, key: string, data: Bytes, signature: Bytes, p1363: boolean, pss: boolean, salt: number): boolean;
  /** JSON of what is known of a key. */
  key(format: 'pem' | 'der' | 'jwk', data: Bytes, isPrivate: boolean): string;
  /** The same of a private key and its public one. */
  keyPair(kind: string, bits: number, curve: string): [string, string];
  agree(privateKey: string, publicKey: string): ArrayBuffer;
  cryptRSA(encrypt: boolean, key: string, data: Bytes, oaepHash: string, label: Bytes): ArrayBuffer;
}

/** The wrapper around the bundle has this parameter. */
declare const __host: Host;
export const host = __host;
