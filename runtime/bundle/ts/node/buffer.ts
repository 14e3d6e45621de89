// What node:buffer has beside its classes.
import { wrongType } from './errors';

const g: any = globalThis;

const bytes = (value: any): Uint8Array => {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw wrongType('input', 'an instance of ArrayBuffer, Buffer, or TypedArray', value);
};
const decodes = (input: Uint8Array) => {
  try {
    new g.TextDecoder('utf-8', { fatal: true }).decode(input);
    return true;
  } catch {
    return false;
  }
};
const texts = ['utf8', 'utf-8', 'ucs2', 'ucs-2', 'utf16le', 'utf-16le', 'latin1', 'binary', 'ascii'];

export const make = () => ({
  INSPECT_MAX_BYTES: 50,
  isAscii: (input: unknown) => bytes(input).every((byte) => byte < 128),
  isUtf8: (input: unknown) => decodes(bytes(input)),
  kStringMaxLength: 0x1fffffe8,
  resolveObjectURL: () => undefined,
  transcode(source: any, from: string, to: string) {
    if (!ArrayBuffer.isView(source)) throw wrongType('source', 'an instance of Buffer or Uint8Array', source);
    if (!texts.includes(`${from}`.toLowerCase()) || !texts.includes(`${to}`.toLowerCase())) {
      throw Object.assign(new Error(`Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]`), { code: 'U_ILLEGAL_ARGUMENT_ERROR', errno: 1 });
    }
    const text: string = g.Buffer.from(source).toString(from);
    const most = /^(latin1|binary)$/i.test(to) ? 0xff : /^ascii$/i.test(to) ? 0x7f : 0x10ffff;
    return g.Buffer.from(Array.from(text, (c) => (c.codePointAt(0)! > most ? '?' : c)).join(''), to);
  },
});
