// What modules of Node take for data, and how they fail and call back.

const g: any = globalThis;

export const failure = (Kind: new (message: string) => Error, code: string, message: string) => Object.assign(new Kind(message), { code });

/** Bytes of what Node takes for data: text, a Buffer, a typed array, an ArrayBuffer, a DataView. */
export function bytesOf(data: any, encoding?: string): Uint8Array {
  if (typeof data === 'string') return g.Buffer.from(data, encoding);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw failure(TypeError, 'ERR_INVALID_ARG_TYPE', `The data must be of type string or an instance of Buffer, TypedArray, or DataView. Received ${data === null ? 'null' : typeof data}`);
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
