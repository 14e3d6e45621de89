// The streams of the web platform for activities: the package that follows the standard's own tests, and the transformers that
// platforms add. Evaluated when an activity first touches a stream.
import { ReadableStream, TransformStream } from 'web-streams-polyfill';

/** What Go gives: (de)compression, which it does in pieces of its own size. */
interface Host {
  /** Starts one; undefined for a format that isn't known. */
  coder(format: string, direction: 'compress' | 'decompress'): Coder | undefined;
}
interface Coder {
  /** Takes bytes, and gives what has come out so far. Throws for data that isn't of the format. */
  write(bytes: Uint8Array): ArrayBuffer;
  /** Gives the rest. */
  end(): ArrayBuffer;
}
declare const __host: Host;

/** The two ends of a transformer, as the classes below have them. */
class Ends {
  #stream: TransformStream;
  constructor(transformer: Transformer) {
    this.#stream = new TransformStream(transformer);
  }
  get readable() {
    return this.#stream.readable;
  }
  get writable() {
    return this.#stream.writable;
  }
}

const bytesOf = (chunk: any): Uint8Array => {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError('The "chunk" argument must be an ArrayBuffer or a view of one.');
};

class TextDecoderStream extends Ends {
  #decoder: TextDecoder;
  constructor(label?: string, options?: TextDecoderOptions) {
    const decoder = new TextDecoder(label, options);
    const put = (text: string, controller: TransformStreamDefaultController) => {
      if (text) controller.enqueue(text);
    };
    super({
      transform: (chunk, controller) => put(decoder.decode(bytesOf(chunk), { stream: true }), controller),
      flush: (controller) => put(decoder.decode(), controller),
    });
    this.#decoder = decoder;
  }
  get encoding() {
    return this.#decoder.encoding;
  }
  get fatal() {
    return this.#decoder.fatal;
  }
  get ignoreBOM() {
    return this.#decoder.ignoreBOM;
  }
}

class TextEncoderStream extends Ends {
  constructor() {
    const encoder = new TextEncoder();
    let half = ''; // of a pair of surrogates, at the end of the chunk before
    super({
      transform(chunk, controller) {
        let text = half + String(chunk);
        half = /[\ud800-\udbff]$/.test(text) ? text[text.length - 1] : '';
        if (half) text = text.slice(0, -1);
        if (text) controller.enqueue(encoder.encode(text));
      },
      flush(controller) {
        if (half) controller.enqueue(encoder.encode(half));
      },
    });
  }
  get encoding() {
    return 'utf-8';
  }
}

function coding(direction: 'compress' | 'decompress', format: unknown): Transformer {
  const coder = __host.coder(String(format), direction);
  if (!coder) throw new TypeError(`Unsupported compression format: '${format}'`);
  const put = (bytes: ArrayBuffer, controller: TransformStreamDefaultController) => {
    if (bytes.byteLength > 0) controller.enqueue(new Uint8Array(bytes));
  };
  return {
    transform: (chunk, controller) => put(coder.write(bytesOf(chunk)), controller),
    flush: (controller) => put(coder.end(), controller),
  };
}

class CompressionStream extends Ends {
  constructor(format: string) {
    super(coding('compress', format));
  }
}

class DecompressionStream extends Ends {
  constructor(format: string) {
    super(coding('decompress', format));
  }
}

for (const c of [TextDecoderStream, TextEncoderStream, CompressionStream, DecompressionStream]) {
  Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
}

/** Whether anything was read of a stream, or it was cancelled: what bodyUsed says. The standard has no other name for it. */
export const isDisturbed = (stream: ReadableStream): boolean => (stream as any)._disturbed;

export * from 'web-streams-polyfill';
export { TextDecoderStream, TextEncoderStream, CompressionStream, DecompressionStream };
