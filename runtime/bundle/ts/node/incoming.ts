// What a request of node:http has: its response, and a stand-in for the connection.
import { host } from './host';
import { failure } from './data';
import { errorOf } from './trouble';

const g: any = globalThis;

/** What Go says of a response: see runtime/platform/fetch. */
export interface IncomingHead {
  id: number;
  status: number;
  statusText: string;
  headers: [string, string][];
  hasBody: boolean;
  version: string;
}

// Of these the first counts, as in Node; of all others the values are joined.
const once = new Set(
  ('age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since last-modified location max-forwards proxy-authorization referer ' +
    'retry-after server user-agent').split(' ')
);

function headersOf(pairs: [string, string][]): Record<string, string | string[]> {
  const headers: any = {};
  for (const [name, value] of pairs) {
    if (name === 'set-cookie') (headers[name] ??= []).push(value);
    else if (!Object.hasOwn(headers, name)) headers[name] = value;
    else if (!once.has(name)) headers[name] += (name === 'cookie' ? '; ' : ', ') + value;
  }
  return headers;
}

export function messages(resolve: (name: string) => any): { IncomingMessage: any; Socket: any } {
  const { Readable } = resolve('stream');
  const EventEmitter = resolve('events');

  class IncomingMessage extends Readable {
    complete = false;
    aborted = false;
    trailers = {};
    rawTrailers = [];
    url = '';
    method = null;
    req: any = null;
    #head: IncomingHead | undefined;
    #headers: any;

    constructor(socket: any, head?: IncomingHead) {
      super();
      this.socket = socket;
      this.#head = head;
      if (!head) return;
      this.statusCode = head.status;
      this.statusMessage = head.statusText;
      this.httpVersion = head.version;
      [this.httpVersionMajor, this.httpVersionMinor] = head.version.split('.').map(Number);
      this.rawHeaders = head.headers.flat();
      this.headers = headersOf(head.headers);
      if (!head.hasBody) host.requests().stop(head.id);
    }
    get connection() {
      return this.socket;
    }
    get headersDistinct() {
      const all: any = Object.create(null);
      for (const [name, value] of this.#head?.headers ?? []) (all[name] ??= []).push(value);
      return (this.#headers ??= all);
    }
    setTimeout(after: number, f?: () => void) {
      if (f) this.on('timeout', f);
      this.socket?.setTimeout(after, () => this.emit('timeout'));
      return this;
    }
    _read() {
      const head = this.#head;
      if (!head?.hasBody) return this.#end();
      host.requests().chunk(
        head.id,
        (bytes: ArrayBuffer | undefined) => {
          if (this.destroyed) return;
          this.socket?.refresh();
          if (bytes === undefined) this.#end();
          else this.push(g.Buffer.from(bytes));
        },
        // Node says of every end before the end that it was aborted.
        (trouble: any) => this.destroy(trouble.limit ? errorOf(trouble) : null)
      );
    }
    #end() {
      this.complete = true;
      this.push(null);
    }
    _destroy(error: Error | null, done: (error: Error | null) => void) {
      if (!this.complete) {
        this.aborted = true;
        if (this.#head) host.requests().stop(this.#head.id);
        this.emit('aborted');
        error ??= failure(Error, 'ECONNRESET', 'aborted');
      }
      // As in Node: nobody has to listen.
      if (this.listenerCount('error') === 0) error = null;
      g.process.nextTick(done, error);
    }
  }

  // A connection, as far as packages look at it: that it is there, and how long nothing has come.
  class Socket extends EventEmitter {
    connecting = true;
    destroyed = false;
    readable = true;
    writable = true;
    remoteAddress = undefined;
    bytesRead = 0;
    bytesWritten = 0;
    timeout = 0;
    #timer: any;
    #request: any;
    constructor(request: any, secure: boolean) {
      super();
      this.#request = request;
      if (secure) Object.assign(this, { encrypted: true, authorized: true });
      this.on('timeout', () => request.emit('timeout'));
    }
    setTimeout(after: number, f?: () => void) {
      this.timeout = after;
      if (f) {
        if (after) this.once('timeout', f);
        else this.removeListener('timeout', f);
      }
      this.refresh();
      return this;
    }
    refresh() {
      g.clearTimeout(this.#timer);
      if (this.timeout > 0 && !this.destroyed) this.#timer = g.setTimeout(() => this.emit('timeout'), this.timeout);
    }
    setKeepAlive() {
      return this;
    }
    setNoDelay() {
      return this;
    }
    ref() {
      return this;
    }
    unref() {
      return this;
    }
    address() {
      return {};
    }
    /** The request is over. */
    end() {
      if (this.destroyed) return this;
      this.destroyed = true;
      this.refresh();
      g.process.nextTick(() => this.emit('close', false));
      return this;
    }
    destroy(error?: Error) {
      if (!this.destroyed) this.#request.destroy(error);
      return this;
    }
  }
  return { IncomingMessage, Socket };
}
