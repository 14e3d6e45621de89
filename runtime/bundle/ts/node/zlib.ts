// node:zlib on Go's compression: whole texts, also where the module has a stream.
import { host } from './host';
import { bytesOf, either } from './data';

declare const require: (name: string) => any;

const g: any = globalThis;
type Options = { level?: number; maxOutputLength?: number; params?: Record<number, number> } | undefined;

const constants = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5,
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_DEFAULT_STRATEGY: 0,
  BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2,
  BROTLI_PARAM_MODE: 0, BROTLI_MODE_GENERIC: 0, BROTLI_MODE_TEXT: 1, BROTLI_PARAM_QUALITY: 1, BROTLI_MIN_QUALITY: 0, BROTLI_MAX_QUALITY: 11, BROTLI_PARAM_SIZE_HINT: 5,
};

// Each with the name of the class of its stream.
const operations: Record<string, string> = {
  gzip: 'Gzip', gunzip: 'Gunzip', deflate: 'Deflate', inflate: 'Inflate', deflateRaw: 'DeflateRaw', inflateRaw: 'InflateRaw', unzip: 'Unzip',
  brotliCompress: 'BrotliCompress', brotliDecompress: 'BrotliDecompress',
};

function apply(operation: string, data: any, options: Options): any {
  const level = operation === 'brotliCompress' ? options?.params?.[constants.BROTLI_PARAM_QUALITY] : options?.level;
  const result = g.Buffer.from(host.zlib(operation, bytesOf(data), level ?? -1));
  if (options?.maxOutputLength !== undefined && result.length > options.maxOutputLength) {
    throw Object.assign(new RangeError(`Cannot create a Buffer larger than ${options.maxOutputLength} bytes`), { code: 'ERR_BUFFER_TOO_LARGE' });
  }
  return result;
}

export function make(streams: () => any): any {
  const zlib: any = { constants, ...constants, crc32: (data: any, before = 0) => host.crc32(bytesOf(data), before) };
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
