// Node's Buffer for activities: the package that bundlers put in its place for browsers, and the one encoding that Node has
// got since.
import { Buffer } from 'buffer';

const url = (encoding: unknown) => typeof encoding === 'string' && encoding.toLowerCase() === 'base64url';

// UTF-8 goes through what Go does: the package takes every character by itself, a second for each few megabytes.
const utf8 = (encoding: unknown) => encoding === undefined || encoding === 'utf8' || encoding === 'utf-8';
const { TextEncoder, TextDecoder } = globalThis as any;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const place = (value: unknown) => value === undefined || (Number.isInteger(value) && (value as number) >= 0);

const { from, isEncoding, byteLength } = Buffer;
const { toString } = Buffer.prototype;
Buffer.from = function (value: any, encoding: any, length?: any) {
  if (typeof value === 'string' && utf8(encoding)) {
    const bytes = encoder.encode(value);
    return from(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  // Reading base64 takes both alphabets.
  return from(value, url(encoding) ? 'base64' : encoding, length);
} as typeof from;
Buffer.isEncoding = ((encoding: unknown) => url(encoding) || isEncoding(encoding as string)) as typeof isEncoding;
Buffer.byteLength = ((value: any, encoding?: any) => (typeof value === 'string' && utf8(encoding) ? encoder.encode(value).length : byteLength(value, encoding))) as typeof byteLength;
Buffer.prototype.toString = function (encoding?: any, start?: number, end?: number) {
  if (utf8(encoding) && place(start) && place(end)) return decoder.decode(this.subarray(start, end));
  if (!url(encoding)) return toString.call(this, encoding, start, end);
  return toString.call(this, 'base64', start, end).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
};

// The bundler calls it otherwise beside the global of that name.
Object.defineProperty(Buffer, 'name', { value: 'Buffer' });

export { Buffer };
