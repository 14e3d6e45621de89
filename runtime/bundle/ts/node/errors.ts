// Node's errors for arguments that it doesn't take, with their codes and words.
import { inspect } from './inspect';

type Kind = new (message: string) => Error;

/** An error of Node's: its code is a member, its name stays the class's. */
export function fault(Kind: Kind, code: string, message: string): Error {
  return Object.assign(new Kind(message), { code });
}

/** A value as Node names what it was given. */
export function received(value: any): string {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    return value.constructor?.name ? ` Received an instance of ${value.constructor.name}` : ` Received ${inspect(value, { depth: -1 })}`;
  }
  let text = inspect(value, { colors: false });
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  return ` Received type ${typeof value} (${text})`;
}

const subject = (name: string) => (name.endsWith(' argument') ? name : `"${name}" ${name.includes('.') ? 'property' : 'argument'}`);

/** wanted is "of type function", "an instance of Array" and the like. */
export const wrongType = (name: string, wanted: string, value: unknown): Error =>
  fault(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${subject(name)} must be ${wanted}.${received(value)}`);

export function wrongValue(name: string, value: unknown, reason = 'is invalid'): Error {
  let text = inspect(value);
  if (text.length > 128) text = `${text.slice(0, 128)}...`;
  return fault(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${text}`);
}

const digits = (n: string) => n.replace(/\B(?=(\d{3})+$)/g, '_');

export function outOfRange(name: string, range: string, value: unknown): Error {
  let text = inspect(value);
  if (Number.isInteger(value) && Math.abs(value as number) > 2 ** 32) text = digits(String(value));
  else if (typeof value === 'bigint') text = digits(String(value)) + 'n';
  return fault(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${text}`);
}

export function isFunction(value: unknown, name: string): asserts value is (...args: any[]) => any {
  if (typeof value !== 'function') throw wrongType(name, 'of type function', value);
}
export function isString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw wrongType(name, 'of type string', value);
}
export function isObject(value: unknown, name: string): void {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrongType(name, 'of type object', value);
}
export function isBoolean(value: unknown, name: string): void {
  if (typeof value !== 'boolean') throw wrongType(name, 'of type boolean', value);
}
export function isInteger(value: unknown, name: string, least = Number.MIN_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER): void {
  if (typeof value !== 'number') throw wrongType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < least || value > most) throw outOfRange(name, `>= ${least} && <= ${most}`, value);
}
export function isSignal(value: any, name = 'signal'): void {
  if (value !== undefined && (value === null || typeof value !== 'object' || !('aborted' in value))) throw wrongType(name, 'an instance of AbortSignal', value);
}

/** What waiting for something ends with when its signal is aborted. */
export class AbortError extends Error {
  code = 'ABORT_ERR';
  constructor(message = 'The operation was aborted', options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AbortError';
  }
}
