// Node's Buffer for activities: the package that bundlers put in its place for browsers. What goes through all bytes is Go's:
// the package takes each by itself, a second and more for a megabyte. Arguments are taken as Node takes them: each method
// has its own way with those that are left out, or are of no use.
import { Buffer } from 'buffer';
import { fits, isNumber, isOffset, isPlace, isSize, mostBytes, noBytes, nothingToFillWith, outOfRange, unknownEncoding, wrongType } from './arguments';

interface Host {
  encode(text: string, encoding: string): ArrayBuffer;
  write(into: Uint8Array, text: string, offset: number, length: number, encoding: string): number;
  decode(bytes: Uint8Array, encoding: string, start: number, end: number): string;
  size(text: string): number;
  compare(a: Uint8Array, b: Uint8Array): number;
  /** Of units of so many bytes, one or two. */
  find(bytes: Uint8Array, what: Uint8Array, from: number, forward: boolean, unit: number): number;
  swap(bytes: Uint8Array, size: number): void;
}
declare const __host: Host;
const host = __host;

const { Uint8Array } = globalThis as any;
const bytes = Uint8Array.prototype;

const encodings: Record<string, string> = {
  __proto__: null as any,
  utf8: 'utf8', 'utf-8': 'utf8', hex: 'hex', base64: 'base64', base64url: 'base64url', latin1: 'latin1', binary: 'latin1', ascii: 'ascii',
  ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le', 'utf-16le': 'utf16le',
};
/** Go's name of an encoding; undefined if there is none of that name. */
const known = (encoding: unknown): string | undefined => {
  const name = `${encoding as any}`;
  return encodings[name] ?? encodings[name.toLowerCase()];
};
const named = (encoding: unknown): string => {
  const name = known(encoding);
  if (name === undefined) throw unknownEncoding(encoding);
  return name;
};
/** To read a text by: both alphabets of base64 are read, and ASCII is no narrower than Latin-1. */
const reading = (name: string): string => (name === 'base64url' ? 'base64' : name === 'ascii' ? 'latin1' : name);
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
const aBuffer = 'an instance of Buffer or Uint8Array';

const { from, byteLength } = Buffer;
const packaged: any = { ...Buffer.prototype };
const ofText = (text: string, name: string): Buffer => from(host.encode(text, reading(name)));

Buffer.from = function (value: any, encoding: any, length?: any) {
  if (typeof value !== 'string') {
    if (typeof value !== 'object' || value === null) throw noBytes(value);
    if (value instanceof ArrayBuffer) {
      // In Node's order: the offset, then the length.
      const offset = encoding === undefined ? 0 : +encoding || 0;
      if (value.byteLength < offset) throw Object.assign(new RangeError('"offset" is outside of buffer bounds'), { code: 'ERR_BUFFER_OUT_OF_BOUNDS' });
      if (length !== undefined && +length > value.byteLength - offset) throw Object.assign(new RangeError('"length" is outside of buffer bounds'), { code: 'ERR_BUFFER_OUT_OF_BOUNDS' });
      return from(value as any, encoding, length);
    }
    const primitive = value.valueOf?.();
    if (primitive != null && primitive !== value && (typeof primitive === 'string' || typeof primitive === 'object')) return Buffer.from(primitive, encoding, length);
    if (value.length === undefined && value.buffer === undefined && !(value.type === 'Buffer' && Array.isArray(value.data)) && typeof value[Symbol.toPrimitive] !== 'function') throw noBytes(value);
    if (typeof value[Symbol.toPrimitive] === 'function' && value.length === undefined) {
      const text = value[Symbol.toPrimitive]('string');
      if (typeof text === 'string') return Buffer.from(text, encoding);
      throw noBytes(value);
    }
    return from(value, encoding, length);
  }
  return ofText(value, typeof encoding === 'string' && encoding !== '' ? named(encoding) : 'utf8');
} as typeof Buffer.from;

Buffer.alloc = ((size: any, value?: any, encoding?: any) => {
  isNumber(size, 'size', 0, mostBytes);
  const made = Buffer.allocUnsafe(size);
  return value === undefined || value === 0 || size === 0 ? made : fill(made, value, 0, made.length, encoding);
}) as typeof Buffer.alloc;

Buffer.concat = ((list: any, length?: any) => {
  if (!Array.isArray(list)) throw wrongType('list', 'an instance of Array', list);
  if (list.length === 0) length = 0;
  else if (length !== undefined) isOffset(length, 'length');
  else {
    length = 0;
    for (const part of list) length += part.length || 0;
  }
  const made = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < list.length; i++) {
    const part = list[i];
    if (!isBytes(part)) throw wrongType(`list[${i}]`, aBuffer, part);
    if (at < length) bytes.set.call(made, part.length > length - at ? bytes.subarray.call(part, 0, length - at) : part, at);
    at += part.length;
  }
  return made;
}) as typeof Buffer.concat;

Buffer.isEncoding = ((encoding: unknown) => typeof encoding === 'string' && encoding !== '' && known(encoding) !== undefined) as typeof Buffer.isEncoding;

Buffer.byteLength = ((value: any, encoding?: any) => {
  if (typeof value !== 'string') {
    if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) throw wrongType('string', 'of type string or an instance of Buffer or ArrayBuffer', value);
    return byteLength(value, encoding);
  }
  const n = value.length;
  switch ((encoding && known(encoding)) || 'utf8') {
    case 'base64':
    case 'base64url': {
      let digits = n;
      if (value[digits - 1] === '=') digits--;
      if (digits > 1 && value[digits - 1] === '=') digits--;
      return (digits * 3) >>> 2;
    }
    case 'utf8':
      return host.size(value);
    case 'hex':
      return n >>> 1;
    case 'utf16le':
      return n * 2;
  }
  return n;
}) as typeof Buffer.byteLength;

Buffer.compare = ((a: any, b: any) => {
  if (!isBytes(a)) throw wrongType('buf1', aBuffer, a);
  if (!isBytes(b)) throw wrongType('buf2', aBuffer, b);
  return host.compare(a, b);
}) as typeof Buffer.compare;

const methods = {
  toString(this: Buffer, encoding?: any, start?: any, end?: any): string {
    const length = this.length;
    if (start <= 0) start = 0;
    else if (start >= length) return '';
    else start = Math.trunc(start) || 0;
    if (end === undefined || end > length) end = length;
    else end = Math.trunc(end) || 0;
    if (end <= start) return '';
    return host.decode(this, encoding === undefined ? 'utf8' : named(encoding), start, end);
  },
  write(this: Buffer, text: any, offset?: any, length?: any, encoding?: any): number {
    const size = this.length;
    if (offset === undefined) [offset, length, encoding] = [0, size, undefined];
    else if (length === undefined && typeof offset === 'string') [offset, length, encoding] = [0, size, offset];
    else {
      isOffset(offset, 'offset', 0, size);
      const rest = size - offset;
      if (length === undefined) length = rest;
      else if (typeof length === 'string') [length, encoding] = [rest, length];
      else {
        isOffset(length, 'length', 0, size);
        length = Math.min(length, rest);
      }
    }
    const name = encoding ? named(encoding) : 'utf8';
    if (typeof text !== 'string') throw wrongType('argument', 'a string', text);
    return host.write(this, text, offset, length, reading(name));
  },
  fill(this: Buffer, value: any, start?: any, end?: any, encoding?: any): Buffer {
    return fill(this, value, start, end, encoding);
  },
  equals(this: Buffer, other: any): boolean {
    if (!isBytes(other)) throw wrongType('otherBuffer', aBuffer, other);
    return this === other || host.compare(this, other) === 0;
  },
  compare(this: Buffer, other: any, ...range: any[]): number {
    if (!isBytes(other)) throw wrongType('target', aBuffer, other);
    if (range.length === 0) return host.compare(this, other);
    const [theirs = 0, theirEnd = other.length, ours = 0, ourEnd = this.length] = range;
    isOffset(theirs, 'targetStart');
    isOffset(theirEnd, 'targetEnd', 0, other.length);
    isOffset(ours, 'sourceStart');
    isOffset(ourEnd, 'sourceEnd', 0, this.length);
    if (ours >= ourEnd) return theirs >= theirEnd ? 0 : -1;
    if (theirs >= theirEnd) return 1;
    return host.compare(bytes.subarray.call(this, ours, ourEnd), bytes.subarray.call(other, theirs, theirEnd));
  },
  copy(this: Buffer, target: any, ...range: any[]): number {
    if (!isBytes(target)) throw wrongType('target', aBuffer, target);
    const at = whole(range[0]);
    if (at < 0) throw outOfRange('targetStart', '>= 0', at);
    const start = whole(range[1]);
    if (start < 0 || start > this.length) throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, start);
    const end = range[2] === undefined ? this.length : whole(range[2]);
    if (end < 0) throw outOfRange('sourceEnd', '>= 0', end);
    if (at >= target.length || start >= end) return 0;
    const n = Math.min(end - start, this.length - start, target.length - at);
    bytes.set.call(target, bytes.subarray.call(this, start, start + n), at);
    return n;
  },
  includes(this: Buffer, what: any, from?: any, encoding?: any): boolean {
    return this.indexOf(what, from, encoding) !== -1;
  },
  indexOf(this: Buffer, what: any, from?: any, encoding?: any): number {
    return find(this, what, from, encoding, true);
  },
  lastIndexOf(this: Buffer, what: any, from?: any, encoding?: any): number {
    return find(this, what, from, encoding, false);
  },
  slice(this: Buffer, start?: any, end?: any): Buffer {
    return packaged.slice.call(this, within(start, this.length), end === undefined ? this.length : within(end, this.length));
  },
  swap16: swap(2, 'swap16'),
  swap32: swap(4, 'swap32'),
  swap64: swap(8, 'swap64'),
};

/** As copy reads its numbers. */
function whole(value: any): number {
  const n = +value;
  return isFinite(n) ? Math.floor(n) : 0;
}

function fill(buffer: Buffer, value: any, start?: any, end?: any, encoding?: any): Buffer {
  let name = 'utf8';
  if (typeof value === 'string') {
    if (start === undefined || typeof start === 'string') [start, end, encoding] = [0, buffer.length, start];
    else if (typeof end === 'string') [end, encoding] = [buffer.length, end];
    if (encoding !== undefined && encoding !== null && encoding !== '') {
      if (typeof encoding !== 'string') throw wrongType('encoding', 'of type string', encoding);
      name = named(encoding);
    }
    if (value === '') value = 0;
  }
  if (start === undefined) [start, end] = [0, buffer.length];
  else {
    isOffset(start, 'offset');
    if (end === undefined) end = buffer.length;
    else isOffset(end, 'end', 0, buffer.length);
    if (start >= end) return buffer;
  }
  if (typeof value !== 'string' && !ArrayBuffer.isView(value)) return bytes.fill.call(buffer, value >>> 0, start, end) as Buffer;
  const pattern = typeof value === 'string' ? ofText(value, name) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const room = end - start;
  if (pattern.length === 0 && room > 0) throw nothingToFillWith(value);
  bytes.set.call(buffer, bytes.subarray.call(pattern, 0, room), start);
  for (let done = pattern.length; done < room; done *= 2) bytes.copyWithin.call(buffer, start + done, start, start + Math.min(done, room - done));
  return buffer;
}

/** Where to look from, as Node counts; undefined: there is nothing to look for, or it can't be there. */
function lookFrom(length: number, from: number, sought: number, forward: boolean): number | undefined {
  if (from < 0) return from + length >= 0 ? from + length : forward || sought === 0 ? 0 : undefined;
  if (from + sought <= length) return from;
  return sought === 0 ? length : forward ? undefined : length - 1;
}

function find(buffer: Buffer, what: any, from: any, encoding: any, forward: boolean): number {
  if (typeof from === 'string') [from, encoding] = [undefined, from];
  from = Math.trunc(Math.min(Math.max(+from, -mostBytes), mostBytes)) + 0; // not -0
  if (from !== from) from = forward ? 0 : buffer.length;
  let name: string | undefined = 'utf8';
  let sought: Uint8Array;
  if (typeof what === 'number') sought = new Uint8Array([what >>> 0]);
  else {
    if (encoding !== undefined) name = typeof what === 'string' ? named(encoding) : known(encoding);
    if (typeof what === 'string') sought = ofText(what, name!);
    else if (isBytes(what)) sought = what;
    else throw wrongType('value', 'one of type number or string or an instance of Buffer or Uint8Array', what);
  }
  const unit = name === 'utf16le' && typeof what !== 'number' ? 2 : 1;
  const length = unit === 2 && typeof what === 'string' ? buffer.length & ~1 : buffer.length;
  const at = lookFrom(length, from, sought.length, forward);
  if (sought.length === 0) return at!;
  if (at === undefined || length === 0 || sought.length > length) return -1;
  return host.find(buffer, sought, at, forward, unit);
}

/** As slice reads its numbers. */
function within(value: any, length: number): number {
  const n = Math.trunc(value) || 0;
  return n < 0 ? Math.max(0, n + length) : Math.min(n, length);
}

function swap(size: number, name: string) {
  return function (this: Buffer): Buffer {
    if (this.length % size !== 0) return packaged[name].call(this);
    host.swap(this, size);
    return this;
  };
}

/** The bytes of a number that a method reads or writes; undefined where the caller says it. */
function sizeOf(method: string): number | undefined {
  const bits = /(8|16|32|64)(?:[BL]E)?$/.exec(method);
  return bits ? +bits[1] / 8 : method.includes('Double') ? 8 : method.includes('Float') ? 4 : undefined;
}

/** The package takes any offset as far as it can be made a number of 32 bits. */
function placed(method: string): void {
  const size = sizeOf(method);
  const packagesOwn = packaged[method];
  const reads = method.startsWith('read');
  const big = method.includes('Big');
  const whole = method.includes('Int');
  const signed = !/U[Ii]nt/.test(method);
  const own = {
    [method](this: Buffer, ...given: any[]): any {
      let [offset, length = size] = reads ? given : given.slice(1);
      if (size === undefined) {
        if (offset === undefined) throw wrongType('offset', 'of type number', offset);
        isSize(length);
      } else {
        length = size;
        if (offset === undefined) offset = 0;
      }
      if (reads) {
        isPlace(offset, length, this.length);
        return packagesOwn.call(this, offset, length);
      }
      if (length === 1 && typeof offset !== 'number') throw wrongType('offset', 'of type number', offset);
      const value = big ? given[0] : +given[0];
      if (whole) fits(value, length, signed, big);
      isPlace(offset, length, this.length);
      return packagesOwn.call(this, value, offset, length);
    },
  };
  Object.assign(methods, own);
}
for (const name of Object.keys(packaged)) {
  if (/^(?:read|write)[A-Z]/.test(name)) placed(name);
}

// What Node's own streams and packages call by these names.
for (const [name, encoding] of [['ascii', 'ascii'], ['base64', 'base64'], ['base64url', 'base64url'], ['hex', 'hex'], ['latin1', 'latin1'], ['ucs2', 'utf16le'], ['utf8', 'utf8']]) {
  Object.assign(methods, {
    [`${name}Slice`](this: Buffer, start?: any, end?: any) {
      return methods.toString.call(this, encoding, start ?? 0, end);
    },
    [`${name}Write`](this: Buffer, text: any, offset: any = 0, length: any = this.length - offset) {
      return methods.write.call(this, text, offset, length, encoding);
    },
  });
}
(Buffer as any).copyBytesFrom = (view: any, offset?: any, length?: any) => {
  if (!ArrayBuffer.isView(view) || view instanceof DataView) throw wrongType('view', 'an instance of TypedArray', view);
  if (offset !== undefined) isOffset(offset, 'offset', 0, Number.MAX_SAFE_INTEGER);
  if (length !== undefined) isOffset(length, 'length', 0, Number.MAX_SAFE_INTEGER);
  const part = (view as any).slice(offset ?? 0, length === undefined ? undefined : (offset ?? 0) + length);
  return Buffer.from(part.buffer);
};

Object.assign(Buffer.prototype, methods, { toLocaleString: methods.toString });

// The bundler calls it otherwise beside the global of that name.
Object.defineProperty(Buffer, 'name', { value: 'Buffer' });

export { Buffer };
