// Modules of Node for activities, each made when it is first required: what is pure from the packages that bundlers put in
// their place for browsers, the rest from what the platform has.

declare const require: (name: string) => any;

const g: any = globalThis;
const pick = (...names: string[]) => Object.fromEntries(names.map((name) => [name, g[name]]));

const makers: Record<string, () => any> = {
  assert: () => require('./assert').make(),
  'assert/strict': () => require('./assert').make().strict,
  async_hooks: () => require('./async_hooks').make(),
  buffer: () => ({ ...pick('Buffer', 'Blob', 'File', 'atob', 'btoa'), ...require('./buffer').make(), kMaxLength: 0x7fffffff, constants: { MAX_LENGTH: 0x7fffffff, MAX_STRING_LENGTH: 0x1fffffe8 }, SlowBuffer: g.Buffer }),
  console: () => g.console,
  crypto: () => require('./crypto').make(() => resolve('stream')),
  diagnostics_channel: () => require('./diagnostics_channel').make(),
  events: () => require('./events').make(),
  http: () => clients().http,
  https: () => clients().https,
  path: () => require('./path').path,
  'path/posix': () => require('./path').path,
  'path/win32': () => require('./path').path.win32,
  perf_hooks: () => pick('performance', 'Performance', 'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure'),
  process: () => g.process,
  punycode: () => ({ ...require('punycode/punycode.js') }),
  querystring: () => require('./querystring').make(),
  stream: () => require('./stream').make(),
  'stream/consumers': () => require('./stream').consumers(),
  'stream/promises': () => resolve('stream').promises,
  'stream/web': () =>
    pick('ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'WritableStream', 'WritableStreamDefaultWriter', 'TransformStream',
      'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TextEncoderStream', 'TextDecoderStream', 'CompressionStream', 'DecompressionStream'),
  string_decoder: () => require('./string_decoder').make(),
  timers: () => ({ ...pick('setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'), promises: resolve('timers/promises') }),
  'timers/promises': () => require('./timers').make(),
  url: () => require('./url').make(),
  util: () => require('./util').make(),
  'util/types': () => resolve('util').types,
  zlib: () => require('./zlib').make(() => resolve('stream')),
};

const made: Record<string, any> = { __proto__: null };

let both: any;
const clients = () => (both ??= require('./http').make(resolve));

/** A module that isn't here, for packages that can do without: whoever uses it is told why. */
export function idle(name: string, refusal: string): any {
  if (name === 'os') return require('./machine').system();
  if (name !== 'fs' && name !== 'fs/promises') return require('./idle').make(refusal);
  const { fs, promises } = require('./machine').files(refusal, () => resolve('stream'));
  return name === 'fs' ? fs : promises;
}

/** The module of a name without "node:"; undefined if there is none. */
export function resolve(name: string): any {
  if (!(name in made) && Object.prototype.hasOwnProperty.call(makers, name)) made[name] = makers[name]!();
  return made[name];
}
