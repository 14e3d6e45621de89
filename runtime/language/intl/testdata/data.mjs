// Writes ../data.txt: what Node's ICU knows of English, for runtime/language/intl. Run with Node: TZ=UTC node data.mjs
import { writeFileSync } from 'node:fs';

const out = ['# English of Unicode CLDR, as Node writes it: written by testdata/data.mjs'];
const section = (name) => out.push(`[${name}]`);
const row = (...fields) => out.push(fields.join('\t'));
const parts = (list, replace) => list.map((p) => replace[p.type] ?? p.value).join('');

section('currency'); // code, digits, symbol, narrow symbol, name of one, name of several
for (const currency of Intl.supportedValuesOf('currency')) {
  const f = (o) => new Intl.NumberFormat('en-US', { style: 'currency', currency, ...o });
  const part = (o, n) => f(o).formatToParts(n).find((p) => p.type === 'currency').value;
  const digits = f({}).resolvedOptions().maximumFractionDigits;
  const name = (n) => part({ currencyDisplay: 'name', minimumFractionDigits: 0, maximumFractionDigits: 0 }, n);
  row(currency, digits, part({}, 1), part({ currencyDisplay: 'narrowSymbol' }, 1), name(1), name(2));
}

const widths = ['short', 'narrow', 'long'];
const units = Intl.supportedValuesOf('unit');
const unit = (u, unitDisplay, n) => parts(new Intl.NumberFormat('en-US', { style: 'unit', unit: u, unitDisplay }).formatToParts(n), { integer: '{0}' });
const simple = {};
section('unit'); // unit, then for short, narrow and long: of one, of several
for (const u of units) {
  simple[u] = widths.flatMap((w) => [unit(u, w, 1), unit(u, w, 2)]);
  row(u, ...simple[u]);
}
section('per'); // unit, what follows an amount of something per it: short, narrow, long
const per = {};
for (const u of units) {
  const of = u === 'bit' ? 'byte' : 'bit';
  per[u] = widths.map((w, i) => unit(`${of}-per-${u}`, w, 2).slice(simple[of][2 * i + 1].length));
  row(u, ...per[u]);
}
section('compound'); // unit-per-unit, as [unit], where it isn't composed of the two
for (const a of units) {
  for (const b of units) {
    if (a === b) continue;
    const want = widths.flatMap((w) => [unit(`${a}-per-${b}`, w, 1), unit(`${a}-per-${b}`, w, 2)]);
    const composed = simple[a].map((s, i) => s + per[b][i >> 1]);
    if (want.join() !== composed.join()) row(`${a}-per-${b}`, ...want);
  }
}

section('relative'); // unit, style, of one ahead, of several ahead, of one past, of several past
const spans = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
const styles = ['long', 'short', 'narrow'];
for (const u of spans) {
  for (const style of styles) {
    const f = new Intl.RelativeTimeFormat('en-US', { style });
    row(u, style, ...[1, 2, -1, -2].map((n) => parts(f.formatToParts(n, u), { integer: '{0}' })));
  }
}
section('named'); // unit, style, number, text
for (const u of spans) {
  for (const style of styles) {
    const f = new Intl.RelativeTimeFormat('en-US', { style, numeric: 'auto' });
    for (const n of [-2, -1, -0, 0, 1, 2]) {
      const text = f.format(n, u);
      if (!/\d/.test(text)) row(u, style, Object.is(n, -0) ? '-0' : n, text);
    }
  }
}

section('list'); // type, style, of two, start, middle, end
for (const type of ['conjunction', 'disjunction', 'unit']) {
  for (const style of styles) {
    const f = new Intl.ListFormat('en-US', { type, style });
    const [a, b, c] = f.format(['{0}', '{1}', '{2}', '{3}']).split(/\{\d\}/).slice(1);
    row(type, style, f.format(['', '']), a, b, c);
  }
}

// Templates of dates: fields in order G E y (n s l: a month in digits, short or long) d.
const day = new Date(Date.UTC(2024, 0, 5, 15, 4, 9, 78));
const letters = { era: '{G}', weekday: '{E}', year: '{y}', month: '{M}', day: '{d}', hour: '{h}', minute: '{m}', second: '{s}', fractionalSecond: '{S}', dayPeriod: '{a}', timeZoneName: '{z}' };
const template = (o) => parts(new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', ...o }).formatToParts(day), letters);
const months = { '': undefined, n: 'numeric', s: 'short', l: 'long' };
section('date'); // fields, template, template with a time
for (const era of ['', 'G']) for (const weekday of ['', 'E']) for (const year of ['', 'y']) for (const month of Object.keys(months)) for (const d of ['', 'd']) {
  const o = {};
  if (era) o.era = 'short';
  if (weekday) o.weekday = 'short';
  if (year) o.year = 'numeric';
  if (month) o.month = months[month];
  if (d) o.day = 'numeric';
  const key = era + weekday + year + month + d;
  // An era alone comes with a whole date, unless there is a time.
  if (key === '') continue;
  row(key, key === 'G' ? '{G}' : template(o), template({ ...o, minute: 'numeric', second: 'numeric' }).replace('{m}:{s}', '{t}'));
}
section('time'); // fields in order h m s S B z, then 12 or 24
for (const h of ['', 'h']) for (const m of ['', 'm']) for (const s of ['', 's']) for (const S of ['', 'S']) for (const B of ['', 'B']) for (const z of ['', 'z']) for (const cycle of h ? ['12', '24'] : ['']) {
  const o = {};
  if (h) o.hour = 'numeric';
  if (m) o.minute = 'numeric';
  if (s) o.second = 'numeric';
  if (S) o.fractionalSecondDigits = 3;
  if (B) o.dayPeriod = 'short';
  if (z) o.timeZoneName = 'short';
  if (cycle) o.hour12 = cycle === '12';
  const key = h + m + s + S + B + z;
  if (key === '') continue;
  row(key + cycle, key === 'z' ? '{z}' : template(o));
}
section('period'); // width, then of each hour
for (const dayPeriod of ['long', 'short', 'narrow']) {
  const f = new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', hour: 'numeric', dayPeriod, hour12: true });
  row(dayPeriod, ...[...Array(24).keys()].map((h) => f.formatToParts(Date.UTC(2024, 0, 1, h)).find((p) => p.type === 'dayPeriod').value));
}
writeFileSync(new URL('../data.txt', import.meta.url), out.join('\n') + '\n');
