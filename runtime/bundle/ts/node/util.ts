import { fault, isFunction, isObject, isSignal, isString, wrongType, wrongValue } from './errors';
import { host } from './host';
import { words } from './inspect';
import { systemErrors } from './system_errors';

declare const require: (name: string) => any;

const g: any = globalThis;
const custom = Symbol.for('nodejs.util.promisify.custom');

function promisify(original: any): any {
  isFunction(original, 'original');
  if (original === g.setTimeout) return require('./timers').make().setTimeout;
  if (original === g.setImmediate) return require('./timers').make().setImmediate;
  const own = { enumerable: false, writable: false, configurable: true };
  const given = (original as any)[custom];
  if (given) {
    isFunction(given, 'util.promisify.custom');
    return Object.defineProperty(given, custom, { ...own, value: given });
  }
  function promised(this: unknown, ...args: unknown[]) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error: unknown, ...values: unknown[]) => (error ? reject(error) : resolve(values[0]))]);
    });
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  Object.defineProperty(promised, custom, { ...own, value: promised });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = custom;

function callbackify(original: any): any {
  isFunction(original, 'original');
  function callbackified(this: unknown, ...args: unknown[]) {
    const last = args.pop();
    isFunction(last, 'last argument');
    const done = last.bind(this);
    Reflect.apply(original, this, args).then(
      (value: unknown) => g.process.nextTick(done, null, value),
      (reason: unknown) =>
        g.process.nextTick(done, reason || Object.assign(fault(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value'), { reason }))
    );
  }
  const members: any = Object.getOwnPropertyDescriptors(original);
  if (typeof members.length?.value === 'number') members.length.value++;
  if (typeof members.name?.value === 'string') members.name.value += 'Callbackified';
  return Object.defineProperties(callbackified, members);
}

function inherits(ctor: any, above: any): void {
  isFunction(ctor, 'ctor');
  isFunction(above, 'superCtor');
  if ((above as any).prototype === undefined) throw wrongType('superCtor.prototype', 'of type object', undefined);
  Object.defineProperty(ctor, 'super_', { value: above, writable: true, configurable: true });
  Object.setPrototypeOf((ctor as any).prototype, (above as any).prototype);
}

// Where nothing is said of the stream, Node asks whether standard output is a terminal, which it isn't here; of a list of
// formats it doesn't ask.
function styleText(format: any, text: any, { validateStream = true } = {}): string {
  isString(text, 'text');
  const { colors } = words().inspect;
  const codes = (name: any): [number, number] => {
    if (colors[name] == null) throw wrongValue('format', name, `must be one of: ${Object.keys(colors).map((key) => `'${key}'`).join(', ')}`);
    return colors[name];
  };
  const names = Array.isArray(format) ? format : [format];
  const all = names.map(codes);
  if (!Array.isArray(format) && validateStream) return text;
  return `${all.map(([on]) => `\u001b[${on}m`).join('')}${text}${all.map(([, off]) => `\u001b[${off}m`).reverse().join('')}`;
}

function aborted(signal: any, resource: any): Promise<unknown> {
  if (signal === undefined) return Promise.reject(wrongType('signal', 'an instance of AbortSignal', signal));
  try {
    isSignal(signal);
    if (resource === null || (typeof resource !== 'object' && typeof resource !== 'function')) isObject(resource, 'resource');
  } catch (error) {
    return Promise.reject(error);
  }
  return new Promise((resolve) => (signal.aborted ? resolve(undefined) : signal.addEventListener('abort', resolve, { once: true })));
}

const numbered = () => new Map(systemErrors.map(([number, name, message]) => [number, [name, message]]));
function systemErrorName(number: any): string {
  if (typeof number !== 'number') throw wrongType('err', 'of type number', number);
  if (!Number.isSafeInteger(number) || number >= 0) {
    throw fault(RangeError, 'ERR_OUT_OF_RANGE', `The value of "err" is out of range. It must be a negative integer. Received ${words().inspect(number)}`);
  }
  return numbered().get(number)?.[0] ?? `Unknown system error ${number}`;
}

// As Node reads a .env file.
const line = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/gm;
function parseEnv(content: any): Record<string, string> {
  isString(content, 'content');
  const env: Record<string, string> = {};
  for (const [, name, text = ''] of content.matchAll(line)) {
    const value = text.trim();
    const quote = /^(['"`])([\s\S]*)\1$/.exec(value);
    env[name!] = quote ? (quote[1] === '"' ? quote[2]!.replace(/\\n/g, '\n') : quote[2]!) : value;
  }
  return env;
}

const tagged = (tag: string) => (value: any) => value !== null && typeof value === 'object' && Object.prototype.toString.call(value) === tag;
function types(): any {
  const { isWebAssemblyCompiledModule: _, ...rest } = require('util/').types;
  return {
    ...rest,
    isExternal: () => false,
    isProxy: (value: unknown) => host.proxy(value) !== undefined,
    isModuleNamespaceObject: tagged('[object Module]'),
    isKeyObject: (value: any) => value !== null && typeof value === 'object' && value.constructor?.name === 'KeyObject' && typeof value.export === 'function',
    isCryptoKey: (value: unknown) => typeof g.CryptoKey === 'function' && value instanceof g.CryptoKey,
  };
}

// The package has classes of its own for its errors, and doesn't know allowNegative.
function parseArgs(config: any = {}): any {
  let { args = g.process.argv.slice(2) } = config;
  const off = new Map<string, boolean>();
  if (config.allowNegative) {
    const end = args.indexOf('--');
    args = args.map((arg: string, i: number) => {
      const [, no, name = ''] = /^--(no-)?(.+)$/.exec(arg) ?? [];
      if ((end >= 0 && i > end) || config.options?.[name]?.type !== 'boolean') return arg;
      off.set(name, !!no);
      return `--${name}`;
    });
  }
  try {
    const parsed = require('@pkgjs/parseargs').parseArgs({ ...config, args });
    for (const [name, negative] of off) if (negative) parsed.values[name] = false;
    return parsed;
  } catch (error: any) {
    if (error.code === 'ERR_INVALID_ARG_TYPE') {
      const [, name, wanted] = /^(\S+) must be (.*) got /.exec(error.message) ?? [];
      throw name === undefined ? error : wrongType(name, wanted!.startsWith('(') ? wanted! : `of type ${wanted}`, name.split('.').reduce((value: any, key) => value?.[key], { ...config, args }));
    }
    throw error.code === undefined ? error : fault(TypeError, error.code, error.message.replace(/^The property (\S+)/, "The property '$1'"));
  }
}

const debuglog = () => Object.assign(() => {}, { enabled: false });

// Node's module: the package of that name knows it as it was ten years ago.
export function make(): any {
  const { inspect, format, formatWithOptions } = words();
  const { types: _, ...util } = require('util/');
  return {
    ...util,
    aborted,
    callbackify,
    debug: debuglog,
    debuglog,
    format,
    formatWithOptions,
    getSystemErrorMap: numbered,
    getSystemErrorName: systemErrorName,
    inherits,
    inspect,
    isDeepStrictEqual(a: unknown, b: unknown) {
      try {
        host.assert().assert.deepStrictEqual(a, b);
        return true;
      } catch {
        return false;
      }
    },
    parseArgs,
    parseEnv,
    promisify,
    stripVTControlCharacters(text: any) {
      isString(text, 'str');
      return text.replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '');
    },
    styleText,
    TextDecoder: g.TextDecoder,
    TextEncoder: g.TextEncoder,
    toUSVString: (text: unknown) => `${text}`.toWellFormed(),
    transferableAbortController: () => new g.AbortController(),
    transferableAbortSignal: (signal: unknown) => signal,
    types: types(),
  };
}
