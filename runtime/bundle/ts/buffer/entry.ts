// Node's Buffer for activities: the package that bundlers put in its place for browsers, and the one encoding that Node has
// got since.
import { Buffer } from 'buffer';

const url = (encoding: unknown) => typeof encoding === 'string' && encoding.toLowerCase() === 'base64url';

const { from, isEncoding } = Buffer;
const { toString } = Buffer.prototype;
Buffer.from = function (value: any, encoding: any, length?: any) {
  // Reading base64 takes both alphabets.
  return from(value, url(encoding) ? 'base64' : encoding, length);
} as typeof from;
Buffer.isEncoding = ((encoding: unknown) => url(encoding) || isEncoding(encoding as string)) as typeof isEncoding;
Buffer.prototype.toString = function (encoding?: any, start?: number, end?: number) {
  if (!url(encoding)) return toString.call(this, encoding, start, end);
  return toString.call(this, 'base64', start, end).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
};

// The bundler calls it otherwise beside the global of that name.
Object.defineProperty(Buffer, 'name', { value: 'Buffer' });

export { Buffer };
