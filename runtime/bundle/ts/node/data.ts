// What modules of Node take for data, and how they fail and call back.
import { fault, isFunction, wrongType } from './errors';

const g: any = globalThis;

export { fault as failure };

/** Bytes of what Node takes for data: text, a Buffer, a typed array, an ArrayBuffer, a DataView. */
export function bytesOf(data: any, encoding?: string, name = 'data', wanted = 'Buffer, TypedArray, or DataView'): Uint8Array {
  if (typeof data === 'string') return g.Buffer.from(data, encoding);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw wrongType(name, `of type string or an instance of ${wanted}`, data);
}

// With a callback as last argument, as most functions of the module may be called.
export function either(f: (...args: any[]) => any): (...args: any[]) => any {
  return (...args) => {
    const callback = args[args.length - 1];
    if (typeof callback !== 'function') return f(...args);
    let result: any;
    let error: any = null;
    try {
      result = f(...args.slice(0, -1));
    } catch (e) {
      error = e;
    }
    setTimeout(() => callback(error, result), 0);
  };
}
