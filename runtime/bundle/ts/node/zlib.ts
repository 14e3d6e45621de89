// node:zlib on Go's compression: whole texts, also where the module has a stream.
import { host } from './host';
import { bytesOf, either } from './data';
import { fault, isInteger } from './errors';

declare const require: (name: string) => any;

const g: any = globalThis;
type Options = { level?: number; maxOutputLength?: number; params?: Record<number, number> } | undefined;

const constants = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5,
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_DEFAULT_STRATEGY: 0,
  BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2,
  BROTLI_PARAM_MODE: 0, BROTLI_MODE_GENERIC: 0, BROTLI_MODE_TEXT: 1, BROTLI_PARAM_QUALITY: 1, BROTLI_MIN_QUALITY: 0, BROTLI_MAX_QUALITY: 11, BROTLI_PARAM_SIZE_HINT: 5,
};

const codes: any = { Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6 };
for (const [name, number] of Object.entries(codes)) codes[number as number] = name;

// Each with the name of the class of its stream.
const operations: Record<string, string> = {
  gzip: 'Gzip', gunzip: 'Gunzip', deflate: 'Deflate', inflate: 'Inflate', deflateRaw: 'DeflateRaw', inflateRaw: 'InflateRaw', unzip: 'Unzip',
  brotliCompress: 'BrotliCompress', brotliDecompress: 'BrotliDecompress',
};

function apply(operation: string, data: any, options: Options): any {
  const brotli = operation.startsWith('brotli');
  const level = brotli ? options?.params?.[constants.BROTLI_PARAM_QUALITY] : options?.level;
  if (!brotli && level !== undefined) isInteger(level, 'options.level', -1, 9);
  const bytes = bytesOf(data, undefined, 'buffer', 'Buffer, TypedArray, DataView, or ArrayBuffer');
  let result: any;
  try {
    result = g.Buffer.from(host.zlib(operation, bytes, level ?? -1));
  } catch (error: any) {
    throw brotli ? brotliFault(error) : Object.assign(error, codes[error.code] !== undefined && { errno: codes[error.code] });
  }
  if (options?.maxOutputLength !== undefined && result.length > options.maxOutputLength) {
    throw Object.assign(new RangeError(`Cannot create a Buffer larger than ${options.maxOutputLength} bytes`), { code: 'ERR_BUFFER_TOO_LARGE' });
  }
  return result;
}

/** Brotli says only that it failed, and why in its code. */
function brotliFault(error: any): unknown {
  const [, reason] = /^brotli: ([A-Z_0-9]+)$/.exec(error?.message ?? '') ?? [];
  if (error?.code !== undefined || reason === undefined) return error;
  return Object.assign(fault(Error, `ERR__ERROR_FORMAT_${reason}`, 'Decompression failed'), { errno: reason === 'CL_SPACE' ? -6 : -1 });
}

export function make(streams: () => any): any {
  const zlib: any = { codes, constants, ...constants, crc32: (data: any, before = 0) => host.crc32(bytesOf(data), before) };
  for (const [operation, name] of Object.entries(operations)) {
    const sync = (data: any, options?: Options) => apply(operation, data, options);
    zlib[`${operation}Sync`] = sync;
    zlib[operation] = either(sync);
    const create = (options?: Options) => {
      const pieces: Uint8Array[] = [];
      return new (streams().Transform)({
        transform(chunk: any, encoding: any, done: any) {
          pieces.push(typeof chunk === 'string' ? g.Buffer.from(chunk, encoding) : chunk);
          done();
        },
        flush(done: any) {
          let result: any;
          try {
            result = apply(operation, g.Buffer.concat(pieces), options);
          } catch (error) {
            return done(error);
          }
          done(null, result);
        },
      });
    };
    zlib[`create${name}`] = create;
    zlib[name] = function (options?: Options) {
      return create(options);
    };
  }
  return zlib;
}
