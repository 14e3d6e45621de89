// What goes wrong with a connection, in Node's words.
import { host } from './host';
import { failure } from './data';

export const hangUp = () => failure(Error, 'ECONNRESET', 'socket hang up');

const numbers: Record<string, number> = { EPIPE: -32, ECONNABORTED: -103, ECONNRESET: -104, ETIMEDOUT: -110, ECONNREFUSED: -111, EHOSTUNREACH: -113, ENETUNREACH: -101, ENOTFOUND: -3008, EAI_AGAIN: -3001 };

/** What the host says of a request's trouble, as Node's error. */
export function errorOf(trouble: any): Error {
  const { message, code, refused, limit, operation, address, port, name } = trouble;
  let error: any;
  if (refused || limit || code === '') {
    error = new Error(message);
    if (code) error.code = code;
    if (refused) host.requests().refused(error);
  } else if (code === 'UND_ERR_SOCKET') {
    error = hangUp();
  } else if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    error = Object.assign(new Error(`getaddrinfo ${code} ${name}`), { errno: numbers[code], code, syscall: 'getaddrinfo', hostname: name });
  } else {
    const syscall = operation === 'dial' ? 'connect' : operation || 'read';
    const where = syscall === 'connect' && address ? { address, port } : {};
    error = Object.assign(new Error(`${syscall} ${code}` + (where.address ? ` ${address}:${port}` : '')), { errno: numbers[code], code, syscall, ...where });
  }
  return error;
}
