// @ts-ignore led to the package itself by the generator
import parse from 'ms-itself';

// Options carry the same few durations at every call, and the package parses them with a regular expression each time.
const parsed = new Map<string, number>();

export default function ms(value: any, options?: any): any {
  if (typeof value !== 'string') return parse(value, options);
  let millis = parsed.get(value);
  if (millis === undefined) {
    millis = parse(value) as number;
    if (parsed.size < 1000) parsed.set(value, millis);
  }
  return millis;
}
