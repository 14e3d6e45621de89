import { encode } from '@temporalio/common/lib/encoding';
import { defaultPayloadConverter, RawValue, type PayloadConverter } from '@temporalio/common/lib/converter/payload-converter';
import type { Payload } from '@temporalio/common/lib/interfaces';
import { encodingKeys, encodingTypes } from '@temporalio/common/lib/converter/types';
import { ValueError } from '@temporalio/common/lib/errors';
import { host } from './host';
import { ruleThere } from './failure_key';

// Bytes can't be frozen, and executions share what the package keeps: each gets bytes of its own.
for (const name of Object.keys(encodingTypes) as (keyof typeof encodingTypes)[]) {
  Object.defineProperty(encodingKeys, name, { get: () => encode(encodingTypes[name]), enumerable: true });
}

// Nor can what a map keeps.
const composed: any = defaultPayloadConverter;
const byEncoding: Map<string, unknown> = composed.converterByEncoding;
composed.converterByEncoding = { get: (encoding: string) => byEncoding.get(encoding) };

/** A json/plain payload as it crosses the bridge: its text alone. It reads like any other payload. */
export class JsonPayload implements Payload {
  constructor(public readonly text: string) {}
  get metadata() {
    return { encoding: encode('json/plain') };
  }
  get data() {
    return encode(this.text);
  }
}

/** What undefined converts to. */
export const nullPayload: Payload = {
  get metadata() {
    return { encoding: encode('binary/null') };
  },
};

/** The default converter, with JSON kept as text on both ways. */
class BridgeConverter implements PayloadConverter {
  toPayload<T>(value: T, context?: any, hint?: any): Payload {
    if (value === undefined && hint === undefined) return nullPayload;
    if (hint !== undefined || value instanceof Uint8Array || value instanceof RawValue) {
      return defaultPayloadConverter.toPayload(value, context, hint);
    }
    let text: string | undefined;
    let why = '';
    try {
      // A function or a symbol has no JSON: upstream sends an empty text.
      text = JSON.stringify(value) ?? (host.keeps(ruleThere) ? '' : undefined);
    } catch (err) {
      // A BigInt or a cycle: the error below says so as upstream does. What nests too deep, or is too
      // large, doesn't show by looking at it.
      if (err instanceof RangeError) why = `: ${err.message}`;
    }
    if (text === undefined) throw new ValueError(`Unable to convert ${String(value)} to payload${why}`);
    return new JsonPayload(text);
  }

  fromPayload<T>(payload: Payload, context?: any, hint?: any): T {
    if (payload instanceof JsonPayload && hint === undefined) return JSON.parse(payload.text);
    return defaultPayloadConverter.fromPayload(payload, context, hint);
  }
}

export const payloadConverter = new BridgeConverter();
