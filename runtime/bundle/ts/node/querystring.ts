// node:querystring. The package of that name fails where Node leaves what it can't decode as it is.
import { fault } from './errors';

const g: any = globalThis;

/** Bytes of what percent signs stand for; others stay. */
function unescapeBuffer(text: string): any {
  const bytes = g.Buffer.from(text, 'latin1');
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    const digits = bytes[i] === 0x25 && /^[0-9a-f]{2}$/i.test(text.slice(i + 1, i + 3)) ? text.slice(i + 1, i + 3) : '';
    bytes[n++] = digits ? parseInt(digits, 16) : bytes[i];
    if (digits) i += 2;
  }
  return bytes.subarray(0, n);
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return unescapeBuffer(text).toString();
  }
}

function escape(value: any): string {
  const text = typeof value === 'object' ? String(value) : `${value}`;
  try {
    return encodeURIComponent(text);
  } catch {
    throw fault(URIError, 'ERR_INVALID_URI', 'URI malformed');
  }
}

const primitive = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? (Number.isFinite(value) ? `${value}` : '') : typeof value === 'bigint' || typeof value === 'boolean' ? `${value}` : '';

function stringify(object: any, separator = '&', equals = '=', options?: { encodeURIComponent?: (text: string) => string }): string {
  if (object === null || typeof object !== 'object') return '';
  const encode = options?.encodeURIComponent ?? module.escape;
  const parts: string[] = [];
  for (const key of Object.keys(object)) {
    const name = encode(key) + (equals || '=');
    const value = object[key];
    for (const one of Array.isArray(value) ? value : [value]) parts.push(name + encode(primitive(one)));
  }
  return parts.join(separator || '&');
}

function parse(text: any, separator = '&', equals = '=', options?: { maxKeys?: number; decodeURIComponent?: (text: string) => string }): any {
  const object = Object.create(null);
  if (typeof text !== 'string' || text === '') return object;
  const decode = options?.decodeURIComponent ?? module.unescape;
  const plain = (part: string) => {
    const spaced = part.replace(/\+/g, ' ');
    if (!spaced.includes('%') && decode === unescape) return spaced;
    try {
      return decode(spaced);
    } catch {
      return unescape(spaced);
    }
  };
  const most = options?.maxKeys ?? 1000;
  let n = 0;
  for (const pair of text.split(`${separator || '&'}`)) {
    if (pair === '') continue;
    if (most > 0 && n++ >= most) break;
    const at = pair.indexOf(`${equals || '='}`);
    const [key, value] = at < 0 ? [plain(pair), ''] : [plain(pair.slice(0, at)), plain(pair.slice(at + `${equals || '='}`.length))];
    if (!(key in object)) object[key] = value;
    else if (Array.isArray(object[key])) object[key].push(value);
    else object[key] = [object[key], value];
  }
  return object;
}

// Code may put its own functions in the place of escape and unescape.
const module: any = { decode: parse, encode: stringify, escape, parse, stringify, unescape, unescapeBuffer };
export const make = (): any => module;
