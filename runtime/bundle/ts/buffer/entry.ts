// Node's Buffer for activities: the package that bundlers put in its place for browsers. What goes through all bytes is Go's:
// the package takes each by itself, a second and more for a megabyte. Names of encodings that neither knows go to the
// package, which says so.
import { Buffer } from 'buffer';

interface Host {
  encode(text: string, encoding: string): ArrayBuffer;
  write(into: Uint8Array, text: string, offset: number, length: number, encoding: string): number;
  /** undefined for bytes that aren't UTF-8. */
  decode(bytes: Uint8Array, encoding: string, start: number, end: number): string | undefined;
  size(text: string): number;
  compare(a: Uint8Array, b: Uint8Array): number;
  find(bytes: Uint8Array, what: Uint8Array, from: number, forward: boolean): number;
  swap(bytes: Uint8Array, size: number): void;
}
declare const __host: Host;
const host = __host;

const { TextDecoder, Uint8Array } = globalThis as any;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const bytes = Uint8Array.prototype;

const encodings: Record<string, string> = {
  __proto__: null as any,
  utf8: 'utf8', 'utf-8': 'utf8', hex: 'hex', base64: 'base64', base64url: 'base64url', latin1: 'latin1', binary: 'latin1', ascii: 'ascii',
  ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le', 'utf-16le': 'utf16le',
};
/** Go's name of an encoding; undefined for what the package is to refuse. */
const known = (encoding: unknown): string | undefined => {
  if (encoding === undefined || encoding === null || encoding === '') return 'utf8';
  return typeof encoding === 'string' ? (encodings[encoding] ?? encodings[encoding.toLowerCase()]) : undefined;
};
/** To read a text by: both alphabets of base64 are read, and ASCII is no narrower than Latin-1. */
const read = (encoding: unknown): string | undefined => {
  const name = known(encoding);
  return name === 'base64url' ? 'base64' : name === 'ascii' ? 'latin1' : name;
};

const { from, byteLength, compare } = Buffer;
const packaged: any = { ...Buffer.prototype };

Buffer.from = function (value: any, encoding: any, length?: any) {
  const name = typeof value === 'string' ? read(encoding) : undefined;
  return name === undefined ? from(value, encoding, length) : from(host.encode(value, name));
} as typeof Buffer.from;

Buffer.isEncoding = ((encoding: unknown) => typeof encoding === 'string' && encoding !== '' && known(encoding) !== undefined) as typeof Buffer.isEncoding;

Buffer.byteLength = ((value: any, encoding?: any) => {
  if (typeof value !== 'string') return byteLength(value, encoding);
  switch (read(encoding)) {
    case 'base64': {
      let n = value.length;
      if (value[n - 1] === '=') n--;
      if (n > 1 && value[n - 1] === '=') n--;
      return (n * 3) >>> 2;
    }
    case 'utf8':
      return host.size(value);
  }
  return byteLength(value, encoding);
}) as typeof Buffer.byteLength;

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
Buffer.compare = ((a: any, b: any) => (isBytes(a) && isBytes(b) ? host.compare(a, b) : compare(a, b))) as typeof Buffer.compare;

const methods = {
  toString(this: Buffer, encoding?: any, start?: any, end?: any): string {
    const name = known(encoding);
    if (name === undefined) return packaged.toString.call(this, encoding, start, end);
    let [at, to] = [start === undefined || start < 0 ? 0 : start, end === undefined || end > this.length ? this.length : end];
    if (at > this.length || to <= 0) return '';
    [at, to] = [at >>> 0, to >>> 0];
    if (at >= to) return '';
    return host.decode(this, name, at, to) ?? decoder.decode(new Uint8Array(this.buffer, this.byteOffset + at, to - at));
  },
  write(this: Buffer, ...given: any[]): number {
    let [text, offset, length, encoding] = given;
    if (typeof offset === 'string') [offset, length, encoding] = [0, undefined, offset];
    else if (typeof length === 'string') [length, encoding] = [undefined, length];
    const name = read(encoding);
    const at = offset === undefined ? 0 : offset >>> 0;
    const most = length === undefined ? this.length - at : length >>> 0;
    if (name === undefined || typeof text !== 'string' || offset < 0 || length < 0 || at > this.length || (offset !== undefined && !isFinite(offset))) {
      return packaged.write.apply(this, given);
    }
    return host.write(this, text, at, most, name);
  },
  fill(this: Buffer, ...given: any[]): Buffer {
    let [value, start, end, encoding] = given;
    if (typeof start === 'string') [start, end, encoding] = [undefined, undefined, start];
    else if (typeof end === 'string') [end, encoding] = [undefined, end];
    const [at, to] = [start ?? 0, end ?? this.length];
    const within = Number.isInteger(at) && Number.isInteger(to) && at >= 0 && at <= to && to <= this.length;
    if (within && typeof value === 'number') return bytes.fill.call(this, value & 255, at, to);
    const name = typeof value === 'string' && value !== '' ? read(encoding) : undefined;
    const pattern = name === undefined ? value : Buffer.from(value, name as any);
    if (!within || !isBytes(pattern) || pattern.length === 0) return packaged.fill.apply(this, given);
    bytes.set.call(this, pattern.subarray(0, to - at), at);
    for (let done = pattern.length; done < to - at; done *= 2) bytes.copyWithin.call(this, at + done, at, at + Math.min(done, to - at - done));
    return this;
  },
  equals(this: Buffer, other: any): boolean {
    return isBytes(other) ? this === other || host.compare(this, other) === 0 : packaged.equals.call(this, other);
  },
  compare(this: Buffer, other: any, ...range: any[]): number {
    return range.length === 0 && isBytes(other) ? host.compare(this, other) : packaged.compare.call(this, other, ...range);
  },
  indexOf(this: Buffer, what: any, from?: any, encoding?: any): number {
    return found(this, what, from, encoding, true) ?? packaged.indexOf.call(this, what, from, encoding);
  },
  lastIndexOf(this: Buffer, what: any, from?: any, encoding?: any): number {
    return found(this, what, from, encoding, false) ?? packaged.lastIndexOf.call(this, what, from, encoding);
  },
  swap16: swap(2, 'swap16'),
  swap32: swap(4, 'swap32'),
  swap64: swap(8, 'swap64'),
};

/** Where it is; undefined where the package is to look: single bytes, which it looks for as arrays do, and texts of two bytes each. */
function found(buffer: Buffer, what: any, from: any, encoding: any, forward: boolean): number | undefined {
  if (typeof from === 'string') [from, encoding] = [undefined, from];
  const name = read(encoding);
  if (name === undefined || name === 'utf16le') return undefined;
  const sought = typeof what === 'string' ? Buffer.from(what, name as any) : what;
  if (!isBytes(sought) || sought.length === 0 || buffer.length === 0) return undefined;
  let at = Math.trunc(+from);
  if (at !== at) at = forward ? 0 : buffer.length - 1;
  if (at < 0) at += buffer.length;
  if (at < 0) return forward ? host.find(buffer, sought, 0, forward) : -1;
  return forward && at >= buffer.length ? -1 : host.find(buffer, sought, at, forward);
}

function swap(size: number, name: string) {
  return function (this: Buffer): Buffer {
    if (this.length % size !== 0) return packaged[name].call(this);
    host.swap(this, size);
    return this;
  };
}

Object.assign(Buffer.prototype, methods, { toLocaleString: methods.toString });

// The bundler calls it otherwise beside the global of that name.
Object.defineProperty(Buffer, 'name', { value: 'Buffer' });

export { Buffer };
