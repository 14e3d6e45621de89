// node:string_decoder: the package's, with Node's words for what it doesn't take.
import { fault, wrongType } from './errors';

declare const require: (name: string) => any;

export function make(): any {
  const { StringDecoder: Theirs } = require('string_decoder/');
  const bytes = (value: any) => {
    if (typeof value !== 'string' && !ArrayBuffer.isView(value)) throw wrongType('buf', 'an instance of Buffer, TypedArray, or DataView', value);
    return typeof value === 'string' ? value : globalThis.Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  };
  function StringDecoder(this: any, encoding?: unknown) {
    if (encoding != null && !globalThis.Buffer.isEncoding(encoding as string)) throw fault(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    Theirs.call(this, encoding);
  }
  StringDecoder.prototype = Object.create(Theirs.prototype, { constructor: { value: StringDecoder, writable: true, configurable: true } });
  StringDecoder.prototype.write = function (value: unknown) {
    return Theirs.prototype.write.call(this, bytes(value));
  };
  // After its end it begins anew.
  StringDecoder.prototype.end = function (value?: unknown) {
    const text = Theirs.prototype.end.call(this, ...(value === undefined ? [] : [bytes(value)]));
    Theirs.call(this, this.encoding);
    return text;
  };
  return { StringDecoder };
}
