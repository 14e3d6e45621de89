// What Node says of arguments that it doesn't take, with its codes.

const fault = (Kind: any, code: string, message: string): Error => Object.assign(new Kind(message), { code });

function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${value}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') return value.constructor?.name ? `Received an instance of ${value.constructor.name}` : 'Received [Object: null prototype] {}';
  const text = typeof value === 'bigint' ? `${value}n` : String(value);
  return `Received type ${typeof value} (${typeof value === 'string' ? `'${text.length > 28 ? `${text.slice(0, 25)}...` : text}'` : text})`;
}

export const wrongType = (name: string, wanted: string, value: unknown): Error =>
  fault(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be ${wanted}. ${received(value)}`);

export const outOfRange = (name: string, range: string, value: unknown): Error =>
  fault(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${value}`);

export const unknownEncoding = (encoding: unknown): Error => fault(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);

export const nothingToFillWith = (value: unknown): Error =>
  fault(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'value' is invalid. Received ${typeof value === 'string' ? `'${value}'` : '<Buffer >'}`);

/** Of what Buffer.from can't make one. */
export const noBytes = (value: unknown): Error =>
  fault(TypeError, 'ERR_INVALID_ARG_TYPE', `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. ${received(value)}`);

export const outside = (): Error => fault(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');

/** The most bytes that a buffer of Node's has. */
export const mostBytes = 2 ** 32;

/** A number, fractions included. */
export function isNumber(value: unknown, name: string, least: number, most: number): void {
  if (typeof value !== 'number') throw wrongType(name, 'of type number', value);
  if (!(value >= least && value <= most)) throw outOfRange(name, `>= ${least} && <= ${most}`, value);
}

/** A whole number. */
export function isOffset(value: unknown, name: string, least = 0, most = mostBytes): void {
  if (typeof value !== 'number') throw wrongType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < least || value > most) throw outOfRange(name, `>= ${least} && <= ${most}`, value);
}

/** Where a number of so many bytes is in a buffer of a length. */
export function isPlace(value: unknown, size: number, length: number): void {
  if (typeof value !== 'number') throw wrongType('offset', 'of type number', value);
  if (Math.floor(value) !== value) throw outOfRange('offset', 'an integer', value);
  if (length < size) throw outside();
  if (value < 0 || value > length - size) throw outOfRange('offset', `>= 0 and <= ${length - size}`, value);
}

const digits = (text: string) => text.replace(/\B(?=(\d{3})+$)/g, '_');

/** A number is one of so many bytes; one that is none becomes 0. */
export function fits(value: any, size: number, signed: boolean, big: boolean): void {
  const n = big ? 'n' : '';
  const power = big ? 2n ** BigInt(size * 8 - (signed ? 1 : 0)) : 2 ** (size * 8 - (signed ? 1 : 0));
  const [least, most]: any[] = big ? [signed ? -power : 0n, (power as bigint) - 1n] : [signed ? -power : 0, (power as number) - 1];
  if (!(value > most || value < least)) return;
  const exponent = size * 8 - (signed ? 1 : 0);
  const range =
    size > 4
      ? signed
        ? `>= -(2${n} ** ${exponent}${n}) and < 2${n} ** ${exponent}${n}`
        : `>= 0${n} and < 2${n} ** ${exponent}${n}`
      : `>= ${least} and <= ${most}`;
  let text = String(value);
  if (big || (Number.isInteger(value) && Math.abs(value) > 2 ** 32)) text = digits(big ? text : BigInt(value).toString()) + n;
  throw outOfRange('value', range, text);
}

/** How many bytes a number has, where the caller says so. */
export function isSize(value: unknown): void {
  if (typeof value !== 'number') throw wrongType('byteLength', 'of type number', value);
  if (Math.floor(value) !== value) throw outOfRange('byteLength', 'an integer', value);
  if (value < 1 || value > 6) throw outOfRange('byteLength', '>= 1 and <= 6', value);
}
