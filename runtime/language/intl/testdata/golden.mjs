// Writes numbers.jsonl, dates.jsonl and language.jsonl: what Node answers, for the tests of runtime/language/intl.
// Run with Node: TZ=UTC node golden.mjs [one in so many cases; 1 takes ten minutes]
import { writeFileSync } from 'node:fs';

const every = Number(process.argv[2] ?? 1500);
let seed = 1; // which cases are taken is always the same
const taken = () => (seed = (seed * 48271) % 2147483647) % every === 0;
const write = (name, rows) => writeFileSync(new URL(name, import.meta.url), rows.map((r) => JSON.stringify(r)).join('\n') + '\n');
const answer = (make) => {
  try {
    return make();
  } catch (e) {
    return '!' + e.name;
  }
};
const parts = (list) => list.map((p) => [p.type, p.value, ...(p.unit ? [p.unit] : [])]);
function* products(axes) {
  const [[name, values], ...rest] = axes;
  for (const v of values) {
    const own = v === undefined ? {} : typeof v === 'object' ? v : { [name]: v };
    if (rest.length === 0) yield own;
    else for (const more of products(rest)) yield { ...own, ...more };
  }
}
const u = undefined;

const values = ['0', '-0', '1', '-1', '0.5', '1.5', '2.5', '-1234.5678', '999.9996', '1234567.891', '0.000123', '9.995', '99999', '1000000', '999999', '1e21', '12345678901234567890', 'NaN', 'Infinity', '-Infinity', '-0.0001', '0.045', '1e15', '15.5', '100'];
const styles = [u, { style: 'percent' }, ...['USD', 'EUR', 'JPY', 'CHF', 'KWD', 'XYZ'].map((currency) => ({ style: 'currency', currency })),
  { style: 'currency', currency: 'USD', currencyDisplay: 'name' }, { style: 'currency', currency: 'CAD', currencyDisplay: 'narrowSymbol' },
  { style: 'currency', currency: 'EUR', currencyDisplay: 'code' }, { style: 'currency', currency: 'USD', currencySign: 'accounting' },
  ...['kilometer-per-hour', 'mile-per-hour', 'liter', 'percent', 'byte', 'celsius', 'megabyte-per-second', 'kilogram-per-day'].flatMap((unit) => ['short', 'narrow', 'long'].map((unitDisplay) => ({ style: 'unit', unit, unitDisplay })))];
const digits = [u, { minimumFractionDigits: 2 }, { maximumFractionDigits: 0 }, { maximumFractionDigits: 1 }, { minimumFractionDigits: 1, maximumFractionDigits: 4 }, { maximumSignificantDigits: 3 }, { minimumSignificantDigits: 4 }, { minimumIntegerDigits: 4 },
  { maximumSignificantDigits: 2, maximumFractionDigits: 1, roundingPriority: 'morePrecision' }, { maximumSignificantDigits: 2, maximumFractionDigits: 1, roundingPriority: 'lessPrecision' }, { roundingIncrement: 5, maximumFractionDigits: 2, minimumFractionDigits: 2 }, { trailingZeroDisplay: 'stripIfInteger', minimumFractionDigits: 2 }];
const numbers = [];
const number = (o) => {
  for (const v of values) {
    if (taken()) numbers.push([o, v, answer(() => parts(new Intl.NumberFormat('en-US', o).formatToParts(/^-?\d{20}/.test(v) ? BigInt(v) : Number(v))))]);
  }
};
for (const o of products([['s', styles], ['d', digits], ['notation', [u, 'compact', 'scientific', 'engineering', { notation: 'compact', compactDisplay: 'long' }]], ['signDisplay', [u, 'always', 'exceptZero', 'negative', 'never']], ['useGrouping', [u, false, 'always', 'min2']]])) number(o);
for (const o of products([['d', [{ maximumFractionDigits: 0 }, { maximumFractionDigits: 2 }, { maximumSignificantDigits: 2 }]], ['roundingMode', ['ceil', 'floor', 'expand', 'trunc', 'halfCeil', 'halfFloor', 'halfExpand', 'halfTrunc', 'halfEven']]])) number(o);
for (const o of [{ style: 'bogus' }, { style: 'currency' }, { style: 'currency', currency: 'US' }, { style: 'unit' }, { style: 'unit', unit: 'parsec' }, { maximumFractionDigits: 101 }, { minimumFractionDigits: 3, maximumFractionDigits: 2 }, { roundingIncrement: 3 }, { roundingIncrement: 5, maximumSignificantDigits: 2 }, { useGrouping: 'bogus' }, { useGrouping: true }, { useGrouping: 'true' }]) number(o);
write('numbers.jsonl', numbers);

const times = [Date.UTC(2024, 0, 5, 15, 4, 9, 78), Date.UTC(1999, 10, 30, 0, 0, 0, 0), Date.UTC(2024, 6, 14, 12, 30, 5, 999), Date.UTC(2024, 4, 1, 12), Date.UTC(-1, 1, 28, 9, 5, 0, 5), Date.UTC(2031, 8, 9, 22, 59, 59)];
const dates = [];
const date = (o) => {
  for (const t of times) if (taken()) dates.push([o, t, answer(() => parts(new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', ...o }).formatToParts(t))), answer(() => new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', ...o }).format(t))]);
};
const text = [u, 'long', 'short', 'narrow'];
const num = [u, 'numeric', '2-digit'];
for (const o of products([['weekday', text], ['era', text], ['year', num], ['month', [...num, 'long', 'short', 'narrow']], ['day', num], ['hour', [u, 'numeric']], ['minute', [u, '2-digit']], ['second', [u, 'numeric']], ['timeZoneName', [u, 'short']]])) date(o);
for (const o of products([['weekday', [u, 'long']], ['month', [u, 'long', 'short', 'numeric']], ['hour', num], ['minute', num], ['second', num], ['fractionalSecondDigits', [u, 1, 3]], ['dayPeriod', text], ['timeZoneName', [u, 'short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric']], ['c', [u, { hour12: false }, { hour12: true }, { hourCycle: 'h11' }, { hourCycle: 'h23' }, { hourCycle: 'h24' }]]])) date(o);
for (const o of products([['dateStyle', [u, 'full', 'long', 'medium', 'short']], ['timeStyle', [u, 'full', 'long', 'medium', 'short']], ['c', [u, { hour12: false }, { hourCycle: 'h24' }]]])) date(o);
for (const o of [{ dateStyle: 'short', year: 'numeric' }, { month: 'bogus' }, { fractionalSecondDigits: 4 }, { hourCycle: 'h13' }]) date(o);
write('dates.jsonl', dates);

const language = [];
for (const type of [u, 'cardinal', 'ordinal']) for (const d of [{}, { minimumFractionDigits: 1 }, { maximumFractionDigits: 0 }]) for (const v of [0, 1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 101, 111, 1.5, -1, 0.9, 1e6, NaN]) {
  language.push(['PluralRules', { type, ...d }, [String(v)], new Intl.PluralRules('en-US', { type, ...d }).select(v)]);
}
for (const type of [u, 'conjunction', 'disjunction', 'unit']) for (const style of [u, 'long', 'short', 'narrow']) for (const items of [[], ['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']]) {
  language.push(['ListFormat', { type, style }, items, parts(new Intl.ListFormat('en-US', { type, style }).formatToParts(items))]);
}
for (const numeric of [u, 'auto', 'always']) for (const style of [u, 'short', 'narrow']) for (const unit of ['second', 'minutes', 'hour', 'days', 'week', 'month', 'quarters', 'year', 'eon']) for (const v of ['-2', '-1', '-0', '0', '1', '2', '1.5', '-1234', '-0.2']) {
  language.push(['RelativeTimeFormat', { numeric, style }, [v, unit], answer(() => parts(new Intl.RelativeTimeFormat('en-US', { numeric, style }).formatToParts(Number(v), unit)))]);
}
write('language.jsonl', language);
console.log(numbers.length, dates.length, language.length);
