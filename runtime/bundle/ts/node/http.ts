// node:http and node:https for packages: a client on what fetch sends with, so with its guard and its limits. Bodies come and go as
// they are, redirects are the package's own.
import { host } from './host';
import { failure } from './data';
import { IncomingHead, messages } from './incoming';
import { errorOf, hangUp } from './trouble';
import { STATUS_CODES, METHODS } from './status';

declare const require: (name: string) => any;
type Resolve = (name: string) => any;

const g: any = globalThis;
const token = /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/;
const most = 64 << 10; // of a body, kept until it is whole or is sent as a stream

export function validateHeaderName(name: any): void {
  if (typeof name !== 'string' || !token.test(name)) throw failure(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Header name must be a valid HTTP token ["${name}"]`);
}

export function validateHeaderValue(name: string, value: any): void {
  if (value === undefined) throw failure(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "undefined" for header "${name}"`);
  if (/[^\t\x20-\x7e\x80-\xff]/.test(String(value))) throw failure(TypeError, 'ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
}

const aborted = (signal: any) => Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR', cause: signal.reason });

export function make(resolve: Resolve): Record<'http' | 'https', any> {
  const { Writable } = resolve('stream');
  const EventEmitter = resolve('events');
  const { IncomingMessage, Socket } = messages(resolve);

  // There are no connections to be kept: the service's own client keeps them.
  class Agent extends EventEmitter {
    constructor(options: any = {}) {
      super();
      Object.assign(this, {
        options: { ...options }, requests: {}, sockets: {}, freeSockets: {}, defaultPort: 80, protocol: 'http:', keepAlive: !!options.keepAlive, keepAliveMsecs: options.keepAliveMsecs ?? 1000,
        maxSockets: options.maxSockets ?? Infinity, maxFreeSockets: options.maxFreeSockets ?? 256, maxTotalSockets: options.maxTotalSockets ?? Infinity, totalSocketCount: 0, scheduling: options.scheduling ?? 'lifo',
      });
    }
    getName(options: any = {}): string {
      return [options.host || 'localhost', options.port ?? '', options.localAddress ?? ''].join(':');
    }
    createConnection() {
      throw failure(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'activities have no sockets: the network is reached through the service\'s own client');
    }
    keepSocketAlive() {
      return true;
    }
    reuseSocket() {}
    destroy() {}
  }
  class SecureAgent extends Agent {
    constructor(options?: any) {
      super(options);
      Object.assign(this, { defaultPort: 443, protocol: 'https:' });
    }
  }

  class OutgoingMessage extends Writable {
    #headers = new Map<string, [string, any]>(); // by the lower-case name
    headersSent = false;
    setHeader(name: string, value: any) {
      if (this.headersSent) throw failure(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client');
      validateHeaderName(name);
      for (const one of Array.isArray(value) ? value : [value]) validateHeaderValue(name, one);
      this.#headers.set(name.toLowerCase(), [name, value]);
      return this;
    }
    setHeaders(headers: any) {
      for (const [name, value] of headers) this.setHeader(name, value);
      return this;
    }
    appendHeader(name: string, value: any) {
      const before = this.getHeader(name);
      return this.setHeader(name, before === undefined ? value : [before, value].flat());
    }
    getHeader = (name: string) => this.#headers.get(String(name).toLowerCase())?.[1];
    hasHeader = (name: string) => this.#headers.has(String(name).toLowerCase());
    getHeaderNames = () => [...this.#headers.keys()];
    getRawHeaderNames = () => [...this.#headers.values()].map(([name]) => name);
    getHeaders = () => Object.assign(Object.create(null), Object.fromEntries([...this.#headers].map(([name, [, value]]) => [name, value])));
    removeHeader(name: string) {
      if (this.headersSent) throw failure(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot remove headers after they are sent to the client');
      this.#headers.delete(String(name).toLowerCase());
    }
    setNoDelay() {}
    setSocketKeepAlive() {}
    addTrailers() {}
  }

  class ClientRequest extends OutgoingMessage {
    aborted = false;
    res: any = null;
    socket: any = null;
    reusedSocket = false;
    timeoutCb: any = null;
    #pieces: Uint8Array[] = [];
    #size = 0;
    #id = 0; // since it was sent
    #streamed = false;
    #url: string;
    #signal: any;
    #idle: any; // what setTimeout was told before there was a socket

    constructor(options: any, answered?: (res: any) => void) {
      super({ autoDestroy: false });
      const o = options;
      const secure = o.protocol === 'https:';
      this.agent = o.agent === undefined || o.agent === true ? (secure ? https : http).globalAgent : o.agent;
      this.method = String(o.method || 'GET').toUpperCase();
      if (!token.test(this.method)) throw failure(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Method must be a valid HTTP token ["${o.method}"]`);
      this.protocol = o.protocol;
      this.path = o.path || '/';
      if (/[^\x21-\xff]/.test(this.path)) throw failure(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
      this.host = String(o.hostname || o.host || 'localhost').replace(/^\[(.*)\]$/, '$1');
      const port = Number(o.port || o.defaultPort || (secure ? 443 : 80));
      const name = this.host.includes(':') ? `[${this.host}]` : this.host;
      const whole = port === (secure ? 443 : 80) ? name : `${name}:${port}`;
      this.#url = `${secure ? 'https' : 'http'}://${whole}${this.path.startsWith('/') ? '' : '/'}${this.path}`;
      const headers = o.headers ?? {};
      const pairs: any[] = !Array.isArray(headers) ? Object.entries(headers) : Array.isArray(headers[0]) ? headers : headers.flatMap((_: any, i: number) => (i % 2 ? [] : [[headers[i], headers[i + 1]]]));
      for (const [key, value] of pairs) if (Array.isArray(headers)) this.appendHeader(key, value); else this.setHeader(key, value);
      if (!this.hasHeader('host') && o.setHost !== false) this.setHeader('Host', whole);
      if (o.auth && !this.hasHeader('authorization')) this.setHeader('Authorization', 'Basic ' + g.Buffer.from(o.auth).toString('base64'));
      if (answered) this.once('response', answered);
      if (o.timeout) this.setTimeout(o.timeout);
      const problem = unsupported(this, o);
      g.process.nextTick(() => {
        if (problem) this.destroy(problem);
        if (this.destroyed) return;
        this.socket = new Socket(this, secure);
        if (this.#idle !== undefined) this.socket.setTimeout(this.#idle);
        this.emit('socket', this.socket);
        g.process.nextTick(() => {
          this.socket.connecting = false;
          this.socket.emit('connect');
          if (secure) this.socket.emit('secureConnect');
          this.socket.emit('ready');
          if (/^100-continue$/i.test(this.getHeader('expect') ?? '')) this.emit('continue');
        });
      });
      if (o.signal) {
        this.#signal = o.signal;
        if (o.signal.aborted) g.process.nextTick(this.#stop);
        else o.signal.addEventListener('abort', this.#stop, { once: true });
      }
    }
    get connection() {
      return this.socket;
    }
    #stop = () => void this.destroy(aborted(this.#signal));

    setTimeout(after: number, f?: () => void) {
      if (f) this.once('timeout', f);
      this.timeout = after;
      if (this.socket) this.socket.setTimeout(after);
      else this.#idle = after;
      return this;
    }
    clearTimeout(f?: () => void) {
      return this.setTimeout(0, f);
    }
    flushHeaders() {
      if (!this.#id && !this.writableEnded) this.#send(true);
    }
    abort() {
      if (this.aborted) return;
      this.aborted = true;
      g.process.nextTick(() => this.emit('abort'));
      this.destroy();
    }

    _write(chunk: any, _: string, done: (error?: Error) => void) {
      this.socket?.refresh();
      if (this.#streamed) return this.#write(chunk, done);
      this.#pieces.push(chunk);
      this.#size += chunk.length;
      if (this.#size > most) {
        this.#send(true);
        return this.#flush(done);
      }
      // Most code that has a body writes it at once and ends: then its length is known.
      if (this.#pieces.length === 1) {
        g.setImmediate(() => {
          if (!this.#id && !this.writableEnded && !this.destroyed) this.#send(true);
        });
      }
      done();
    }
    _final(done: (error?: Error) => void) {
      if (this.destroyed) return done();
      if (!this.#id) {
        this.#send(false);
        return done();
      }
      this.#flush((error) => {
        host.requests().endWrite(this.#id, !error);
        done(error);
      });
    }
    _destroy(error: Error | null, done: (error: Error | null) => void) {
      this.#signal?.removeEventListener('abort', this.#stop);
      this.socket?.end();
      if (this.#id && !this.res?.complete) host.requests().stop(this.#id);
      if (this.res) {
        if (!this.res.destroyed && !this.res.complete) this.res.destroy(error);
      } else error ??= hangUp();
      done(this.res ? null : error);
    }

    // What was kept before the request was sent as a stream.
    #flush(done: (error?: Error) => void) {
      const kept = this.#pieces;
      this.#pieces = [];
      if (kept.length) this.#write(g.Buffer.concat(kept), done);
      else done();
    }
    #write(chunk: Uint8Array, done: (error?: Error) => void) {
      if (chunk.length === 0) return done();
      host.requests().write(this.#id, chunk, () => {
        this.socket?.refresh();
        done();
      }, () => done()); // what Go refuses, the request itself says better; a server may also answer before it has read all
    }
    #send(streamed: boolean) {
      this.headersSent = true;
      this.#streamed = streamed;
      const pairs = Object.entries(this.getHeaders()).flatMap(([name, value]: [string, any]) => {
        if (name === 'cookie' && Array.isArray(value)) value = value.join('; ');
        return (Array.isArray(value) ? value : [value]).map((one: any) => [name, String(one)]);
      });
      const without = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'].includes(this.method) && this.#size === 0;
      const all = streamed || without ? undefined : g.Buffer.concat(this.#pieces);
      const body = streamed ? 'stream' : all?.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength);
      const fail = (trouble: any) => this.destroy(errorOf(trouble));
      const id = host.requests().send(this.method, this.#url, pairs, body, 'manual', (head: IncomingHead) => this.#answer(head), fail, true);
      if (id < 0) fail({ message: `more than ${host.requests().maxRequests} requests are under way (${host.requests().requestsSetting})`, limit: true });
      else this.#id = id;
    }
    #answer(head: IncomingHead) {
      if (this.destroyed) return host.requests().stop(head.id);
      this.socket?.refresh();
      const res = (this.res = new IncomingMessage(this.socket, head));
      res.req = this;
      res.once('close', () => this.destroy());
      if (!this.emit('response', res)) res.resume();
    }
  }

  // What can't be done here is an error, not left out.
  function unsupported(request: any, o: any): Error | null {
    const settings = { ...request.agent?.options, ...o };
    const agent = request.agent;
    if (o.socketPath || o.createConnection || typeof agent?.callback === 'function' || (typeof agent?.connect === 'function' && agent.connect !== Agent.prototype.connect)) {
      return failure(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'activities have no sockets: requests with an agent or a connection of one\'s own can\'t be made');
    }
    if (request.protocol === 'https:' && (settings.cert || settings.key || settings.pfx || settings.ca)) {
      return failure(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'certificates of one\'s own (ca, cert, key, pfx) can\'t be used here: the network is reached through the service\'s own client');
    }
    if (request.method === 'CONNECT') return failure(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'activities have no sockets: CONNECT can\'t be used');
    if (!request.path.startsWith('/')) return failure(Error, 'ERR_METHOD_NOT_IMPLEMENTED', `the path ${JSON.stringify(request.path)} is for a proxy, which can't be used here`);
    return null;
  }

  const { urlToHttpOptions } = resolve('url');
  const module = (protocol: string) => {
    // (options, callback), (url, callback), (url, options, callback)
    const request = (input: any, options: any, answered: any) => {
      let o: any;
      if (typeof input === 'string') o = urlToHttpOptions(new g.URL(input));
      else if (input instanceof g.URL) o = urlToHttpOptions(input);
      else [o, options, answered] = [{}, input, options];
      if (typeof options === 'function') [options, answered] = [{}, options];
      o = { ...o, ...options };
      const expected = (typeof o.agent === 'object' && o.agent?.protocol) || protocol;
      o.protocol ||= expected;
      if (o.protocol !== expected) throw failure(TypeError, 'ERR_INVALID_PROTOCOL', `Protocol "${o.protocol}" not supported. Expected "${expected}"`);
      return new ClientRequest(o, answered);
    };
    const get = (...args: [any, any, any]) => {
      const r = request(...args);
      r.end();
      return r;
    };
    const createServer = () => {
      throw failure(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'activities can\'t serve: nothing reaches them from outside');
    };
    const Own: any = protocol === 'https:' ? SecureAgent : Agent;
    return { request, get, Agent: Own, globalAgent: new Own({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }), createServer, Server: createServer };
  };
  const http: any = {
    ...module('http:'), ClientRequest, IncomingMessage, OutgoingMessage, ServerResponse: class ServerResponse extends OutgoingMessage {},
    METHODS, STATUS_CODES, maxHeaderSize: 16384, validateHeaderName, validateHeaderValue, setMaxIdleHTTPParsers() {},
  };
  const https: any = module('https:');
  return { http, https };
}
