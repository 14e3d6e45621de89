// node:assert, with the words of Node's AssertionError: how values differ, line by line.
import { host } from './host';
import { inspect } from './inspect';

const readable: Record<string, string> = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  strictEqual: 'Expected values to be strictly equal:',
  strictEqualObject: 'Expected "actual" to be reference-equal to "expected":',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notIdentical: 'Values have same structure but are not reference-equal:',
  notDeepEqualUnequal: 'Expected values not to be loosely deep-equal:',
};

const mostShort = 12; // characters of two values that stand on one line
const mostLines = 50;
const isObject = (value: unknown) => typeof value === 'object' && value !== null;
const shown = (value: unknown): string =>
  inspect(value, { compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity, showHidden: false, showProxy: false, sorted: true, getters: true });

/** Without its stack, which says nothing of how two errors differ. */
function bare(error: any): any {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(error)), error);
  Object.defineProperty(copy, 'message', { value: error.message });
  return copy;
}

/** The last of so many equal lines before one that differs. */
function context(lines: string[], i: number, identical: number): { text: string; printed: number; skipped: boolean } {
  let text = '';
  let printed = 0;
  let skipped = false;
  if (identical > 2) {
    if (identical > 3) {
      if (identical === 5) [text, printed] = [`\n  ${lines[i - 3]}`, 1];
      else if (identical > 5) [text, skipped] = ['\n...', true];
      text += `\n  ${lines[i - 2]}`;
      printed++;
    }
    text += `\n  ${lines[i - 1]}`;
    printed++;
  }
  return { text, printed, skipped };
}

function difference(actual: any, expected: any, operator: string, message: unknown): string {
  const inspected = shown(actual);
  const [a, b] = [inspected.split('\n'), shown(expected).split('\n')];
  if (operator === 'strictEqual' && ((isObject(actual) && isObject(expected)) || (typeof actual === 'function' && typeof expected === 'function'))) operator = 'strictEqualObject';
  const title = message ?? readable[operator];
  let i = 0;
  let indicator = '';
  if (a.length === 1 && b.length === 1 && a[0] !== b[0]) {
    const size = a[0]!.length + b[0]!.length;
    if (size <= mostShort) {
      if (!isObject(actual) && !isObject(expected) && (actual !== 0 || expected !== 0)) return `${title}\n\n${a[0]} !== ${b[0]}\n`;
    } else if (operator !== 'strictEqualObject' && size < 80) {
      while (a[0]![i] === b[0]![i]) i++;
      if (i > 2) [indicator, i] = [`\n  ${' '.repeat(i)}^`, 0];
    }
  }
  let [end, other, result] = ['', '', ''];
  let skipped = false;
  while (a.length > 0 && b.length > 0 && a[a.length - 1] === b[b.length - 1]) {
    if (i++ < 3) end = `\n  ${a[a.length - 1]}${end}`;
    else other = a[a.length - 1]!;
    a.pop();
    b.pop();
  }
  const lines = Math.max(a.length, b.length);
  if (lines === 0) {
    const all = inspected.split('\n');
    return `${message ?? readable.notIdentical}\n\n${(all.length > mostLines ? [...all.slice(0, 46), '...'] : all).join('\n')}\n`;
  }
  if (i >= 5) [end, skipped] = [`\n...${end}`, true];
  if (other !== '') [end, other] = [`\n  ${other}${end}`, ''];
  const header = `${title}\n+ actual - expected`;
  const [longer, sign, both] = a.length < lines ? [b, '-', a.length] : [a, '+', b.length];
  let printed = 0;
  let identical = 0;
  const before = (of: string[]) => {
    const c = context(of, i, identical);
    result += c.text;
    printed += c.printed;
    skipped ||= c.skipped;
    identical = 0;
  };
  for (i = 0; i < lines; i++) {
    if (both < i + 1) {
      before(longer);
      if (longer === a) result += `\n${sign} ${longer[i]}`;
      else other += `\n${sign} ${longer[i]}`;
      printed++;
    } else {
      let line = a[i]!;
      let differ = line !== b[i] && !(line.endsWith(',') && line.slice(0, -1) === b[i]);
      if (differ && b[i]!.endsWith(',') && b[i]!.slice(0, -1) === line) [differ, line] = [false, `${line},`];
      if (differ) {
        before(a);
        result += `\n+ ${line}`;
        other += `\n- ${b[i]}`;
        printed += 2;
      } else {
        result += other;
        other = '';
        if (++identical <= 2) {
          result += `\n  ${line}`;
          printed++;
        }
      }
    }
    if (printed > mostLines && i < lines - 2) return `${header} ... Lines skipped\n${result}\n...${other}\n...`;
  }
  return `${header}${skipped ? ' ... Lines skipped' : ''}\n${result}${other}${end}${indicator}`;
}

function words(operator: string, actual: any, expected: any, message: unknown): string | undefined {
  if (actual instanceof Error && expected instanceof Error) [actual, expected] = [bare(actual), bare(expected)];
  if (operator === 'deepStrictEqual' || operator === 'strictEqual') return difference(actual, expected, operator, message);
  if (message !== undefined && message !== null) return undefined;
  switch (operator) {
    case 'notDeepStrictEqual':
    case 'notStrictEqual': {
      const title = operator === 'notStrictEqual' && (isObject(actual) || typeof actual === 'function') ? readable.notStrictEqualObject : readable[operator];
      const lines = shown(actual).split('\n');
      if (lines.length > mostLines) lines.splice(46, lines.length, '...');
      return lines.length === 1 ? `${title}${lines[0]!.length > 5 ? '\n\n' : ' '}${lines[0]}` : `${title}\n\n${lines.join('\n')}\n`;
    }
    case '==':
      if (actual === expected || expected === true) return undefined; // assert.ok has words of its own
    // falls through
    case '!=':
    case 'deepEqual':
    case 'notDeepEqual': {
      const [a, b] = [shown(actual), shown(expected)].map((text) => (text.length > 512 ? `${text.slice(0, 509)}...` : text));
      if (operator === 'notDeepEqual' && a === b) return `${readable.notDeepEqual}\n\n${a}`;
      if (operator === 'deepEqual') return `${readable.deepEqual}\n\n${a}\n\nshould loosely deep-equal\n\n${b}`;
      if (operator === 'notDeepEqual') return `${readable.notDeepEqualUnequal}\n\n${a}\n\nshould not loosely deep-equal\n\n${b}`;
      return `${a} ${operator} ${b}`;
    }
  }
  return undefined;
}

let made: any;
export function make(): any {
  if (!made) {
    const { assert, setWords } = host.assert();
    setWords(words);
    made = assert;
  }
  return made;
}
