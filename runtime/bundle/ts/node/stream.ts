declare const require: (name: string) => any;

const g: any = globalThis;

// The package is Node's own module; what leads to the web's streams and back is Node's alone.
export function make(): any {
  const Stream = require('readable-stream/lib/stream.js');
  const { Readable, Writable, Duplex } = Stream;

  Readable.fromWeb = (web: any, options: any = {}) => {
    const reader = web.getReader();
    return new Readable({
      objectMode: false,
      ...options,
      read(this: any) {
        reader.read().then(
          ({ done, value }: any) => this.push(done ? null : asChunk(value, options.objectMode)),
          (error: unknown) => this.destroy(error)
        );
      },
      destroy(error: unknown, done: (error?: unknown) => void) {
        reader.cancel(error).then(
          () => done(error),
          () => done(error)
        );
      },
    });
  };
  Readable.toWeb = (readable: any) => {
    const chunks = readable[Symbol.asyncIterator]();
    return new g.ReadableStream(
      {
        async pull(controller: any) {
          const { done, value } = await chunks.next();
          if (done) return controller.close();
          controller.enqueue(ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value);
        },
        cancel: (reason: unknown) => readable.destroy(reason instanceof Error ? reason : undefined),
      },
      { highWaterMark: 0 }
    );
  };
  Writable.fromWeb = (web: any, options: any = {}) => {
    const writer = web.getWriter();
    const after = (promise: Promise<unknown>, done: (error?: unknown) => void) =>
      promise.then(
        () => done(),
        (error) => done(error)
      );
    return new Writable({
      ...options,
      write: (chunk: any, _: string, done: any) => after(writer.write(chunk), done),
      final: (done: any) => after(writer.close(), done),
      destroy: (error: unknown, done: any) => (error ? after(writer.abort(error), () => done(error)) : done()),
    });
  };
  Writable.toWeb = (writable: any) =>
    new g.WritableStream({
      write: (chunk: any) => new Promise<void>((resolve, reject) => writable.write(chunk, (error: unknown) => (error ? reject(error) : resolve()))),
      close: () => new Promise<void>((resolve, reject) => (writable.once('error', reject), writable.end(() => resolve()))),
      abort: (reason: unknown) => writable.destroy(reason instanceof Error ? reason : new Error(String(reason))),
    });
  Duplex.fromWeb = ({ readable, writable }: any, options: any = {}) => Duplex.from({ readable: Readable.fromWeb(readable, options), writable: Writable.fromWeb(writable, options) });
  Duplex.toWeb = (duplex: any) => ({ readable: Readable.toWeb(duplex), writable: Writable.toWeb(duplex) });
  return Stream;
}

const asChunk = (value: unknown, objects: boolean) => (objects || typeof value === 'string' || ArrayBuffer.isView(value) ? value : String(value));

// node:stream/consumers.
export function consumers(): any {
  const buffer = async (stream: AsyncIterable<any>) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of stream) pieces.push(typeof piece === 'string' ? g.Buffer.from(piece) : piece);
    return g.Buffer.concat(pieces);
  };
  const text = async (stream: AsyncIterable<any>) => (await buffer(stream)).toString('utf8');
  const arrayBuffer = async (stream: AsyncIterable<any>) => {
    const all = await buffer(stream);
    return all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength);
  };
  return { buffer, text, arrayBuffer, json: async (stream: AsyncIterable<any>) => JSON.parse(await text(stream)), blob: async (stream: AsyncIterable<any>) => new g.Blob([await buffer(stream)]) };
}
