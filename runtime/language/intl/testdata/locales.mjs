// Writes locales.jsonl: what Node answers in other languages and time zones, for the tests of runtime/language/intl.
// Run with Node: TZ=UTC node locales.mjs [one in so many cases [the file [the locales, with commas]]]
import { writeFileSync } from 'node:fs';

const every = Number(process.argv[2] ?? 400);
const file = process.argv[3] ?? new URL('locales.jsonl', import.meta.url);
const locales = (process.argv[4] ?? 'en-US,en-GB,en-AU,en-CA,en-IN,en-IE,en-150,de,de-DE,de-AT,de-CH,fr,fr-FR,fr-CA,fr-CH,fr-BE,es,es-ES,es-MX,es-AR,es-US,it,it-IT,it-CH,pt,pt-BR,pt-PT,nl,nl-NL,nl-BE,ja,ja-JP,sv-SE,da-DK,nb-NO,fi-FI,pl-PL,cs-CZ,ru-RU,uk-UA,zh-CN,zh-TW,ko-KR,hu-HU,ro-RO,el-GR').split(',');
let seed = 7; // which cases are taken is always the same
const random = () => (seed = (seed * 48271) % 2147483647);
const taken = () => random() % every === 0;
const pick = (list) => list[random() % list.length];
const rows = [];
const answer = (make) => {
  try {
    return make();
  } catch (e) {
    return '!' + e.name;
  }
};
const parts = (list) => list.map((p) => [p.type, p.value, ...(p.unit ? [p.unit] : [])]);
const u = undefined;
const clean = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== u));

const times = [Date.UTC(2024, 0, 5, 15, 4, 9, 78), Date.UTC(1999, 10, 30, 0, 0), Date.UTC(2024, 6, 14, 12, 30, 5, 999), Date.UTC(2024, 4, 1, 12), Date.UTC(2031, 8, 9, 22, 59, 59), Date.UTC(2024, 9, 27, 0, 59, 59), Date.UTC(2024, 9, 27, 1, 0, 1), Date.UTC(2024, 2, 31, 1, 30), Date.UTC(2024, 2, 10, 9, 59, 59), Date.UTC(2024, 2, 10, 10), Date.UTC(1975, 3, 1, 6), Date.UTC(2060, 5, 1, 6)];
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'Asia/Kolkata', 'Europe/London', 'America/Los_Angeles', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/Sao_Paulo', 'Europe/Dublin', 'Pacific/Apia', 'Africa/Casablanca', 'America/St_Johns', 'Europe/Lisbon', 'Etc/GMT+5', 'Asia/Shanghai', 'Pacific/Auckland', 'America/Phoenix', 'Europe/Kyiv', 'us/eastern'];
// V8 takes letters of texts between the fields for fields: where there are such, the options aren't looked at.
const shownOptions = (f, o) => {
  const r = f.resolvedOptions();
  const plain = ['locale', 'calendar', 'numberingSystem', 'timeZone', 'hourCycle', 'hour12', 'dateStyle', 'timeStyle'];
  const words = f.formatToParts(0).some((p) => p.type === 'literal' && /\p{L}/u.test(p.value));
  return !words && Object.keys(r).every((k) => k in o || plain.includes(k)) ? r : null;
};
const date = (o) => {
  for (const l of locales) {
    if (!taken()) continue;
    const t = pick(times);
    const options = clean({ timeZone: pick(zones), ...o });
    const f = answer(() => new Intl.DateTimeFormat(l, options));
    rows.push(typeof f === 'string' ? ['DateTimeFormat', l, options, [t], f] : ['DateTimeFormat', l, options, [t], parts(f.formatToParts(t)), f.format(t), shownOptions(f, options)]);
    // Fields that nobody writes together, which ICU strings together as in "9 (hour: 17)", are not looked at in ranges.
  if (typeof f === 'string' || random() % 3 || /[(├]/.test(f.format(t)) || (o.hour && o.second && !o.minute)) continue;
    const to = t + pick([0, 1000, 60e3, 3600e3, 5 * 3600e3, 86400e3, 40 * 86400e3, 800 * 86400e3]);
    rows.push(['range', l, options, [t, to], f.formatRangeToParts(t, to).map((p) => [p.type, p.value, p.source]), f.formatRange(t, to)]);
  }
};
const text = [u, 'long', 'short', 'narrow'];
const num = [u, 'numeric', '2-digit'];
const names = [u, 'short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric'];
const cycles = [{}, {}, {}, { hour12: false }, { hour12: true }, { hourCycle: 'h11' }, { hourCycle: 'h23' }, { hourCycle: 'h24' }, { hourCycle: 'h12' }];
for (let i = 0; i < 2500; i++) {
  const o = { weekday: pick([u, u, ...text]), era: pick([u, u, u, u, u, ...text]), year: pick(num), month: pick([...num, 'long', 'short', 'narrow']), day: pick(num) };
  if (o.era) delete o.weekday; // together they end Node's process in one of the locales
  date(random() % 2 ? o : { ...o, hour: pick(num), minute: pick(num), second: pick(num), ...pick(cycles), timeZoneName: pick([u, u, u, ...names]) });
}
for (let i = 0; i < 1500; i++) date({ hour: pick(['numeric', '2-digit']), minute: pick(num), second: pick(num), fractionalSecondDigits: pick([u, u, 1, 3]), dayPeriod: pick([u, u, ...text]), timeZoneName: pick(names), ...pick(cycles) });
for (const timeZoneName of names.slice(1)) for (let i = 0; i < 60; i++) date({ timeZoneName, hour: 'numeric' });
const styles = [u, 'full', 'long', 'medium', 'short'];
for (const dateStyle of styles) for (const timeStyle of styles) for (const c of cycles) for (let i = 0; i < 6; i++) date({ dateStyle, timeStyle, ...c });

const values = ['0', '-0', '1', '-1', '2', '0.5', '1.5', '-1234.5678', '12345.678', '999.9996', '1234567.891', '0.000123', '99999', '1000', '10000', '1000000', '2000000', '999999', '1e21', '12345678901234567890', 'NaN', 'Infinity', '-0.0001', '1e15', '15.5', '100', '1e9', '2.5e9', '123456789012'];
const money = ['USD', 'EUR', 'JPY', 'CHF', 'KWD', 'GBP', 'INR', 'BRL', 'MXN', 'CVE', 'XYZ', 'SEK', 'PTE'];
const units = ['kilometer-per-hour', 'mile-per-hour', 'liter', 'percent', 'byte', 'celsius', 'megabyte-per-second', 'kilogram-per-day', 'day', 'hour', 'month', 'liter-per-kilometer', 'gallon', 'stone', 'degree', 'meter-per-second', 'fluid-ounce', 'mile-per-gallon', 'inch', 'year'];
// Of less than one by a power of ten, ICU takes the words of one in some languages.
const wordsOfPowers = (o, v) => /^(sci|eng)/.test(o.notation) && Math.abs(v) < 1;
const number = (o) => {
  for (const l of locales) {
    if (!taken()) continue;
    const v = pick(values);
    if (wordsOfPowers(o, v)) continue;
    const f = answer(() => new Intl.NumberFormat(l, clean(o)));
    rows.push(typeof f === 'string' ? ['NumberFormat', l, clean(o), [v], f] : ['NumberFormat', l, clean(o), [v], parts(f.formatToParts(/^-?\d{20}/.test(v) ? BigInt(v) : Number(v))), '', random() % 10 ? null : f.resolvedOptions()]);
  }
};
const digits = [{}, {}, {}, { minimumFractionDigits: 2 }, { maximumFractionDigits: 0 }, { maximumFractionDigits: 1 }, { maximumSignificantDigits: 3 }, { minimumIntegerDigits: 4 }];
const notations = [{}, {}, {}, { notation: 'compact' }, { notation: 'compact', compactDisplay: 'long' }, { notation: 'scientific' }, { notation: 'engineering' }];
for (let i = 0; i < 4000; i++) {
  const style = pick([{}, { style: 'percent' }, { style: 'currency', currency: pick(money), currencyDisplay: pick([u, u, 'name', 'code', 'narrowSymbol']), currencySign: pick([u, u, 'accounting']) }, { style: 'currency', currency: pick(money) }, { style: 'unit', unit: pick(units), unitDisplay: pick(['short', 'narrow', 'long']) }]);
  number({ ...style, ...pick(digits), ...pick(notations), signDisplay: pick([u, u, u, 'always', 'exceptZero', 'negative', 'never']), useGrouping: pick([u, u, u, false, 'always', 'min2', true]) });
}
const language = (make) => {
  for (const l of locales) if (taken()) rows.push(make(l));
};
for (let i = 0; i < 700; i++) {
  language((l) => {
    const o = clean({ type: pick([u, 'ordinal']), ...pick([{}, { minimumFractionDigits: 1 }, { maximumFractionDigits: 0 }]) });
    const v = pick([0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 21, 22, 23, 80, 101, 111, 800, 1.5, 2.5, -1, 0.9, 1e6, 2e6, 1234567, NaN]);
    const f = new Intl.PluralRules(l, o);
    return ['PluralRules', l, o, [String(v)], f.select(v), '', f.resolvedOptions()];
  });
  language((l) => {
    const o = clean({ type: pick([u, 'disjunction', 'unit']), style: pick(text) });
    const items = pick([[], ['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd'], ['A', 'isla'], ['A', 'hielo', 'hijo'], ['7', '8'], ['x', 'ocho'], ['10', '11']]);
    return ['ListFormat', l, o, items, answer(() => parts(new Intl.ListFormat(l, o).formatToParts(items)))];
  });
}
for (let i = 0; i < 1500; i++) {
  language((l) => {
    const o = clean({ numeric: pick([u, 'auto']), style: pick(text) });
    const v = pick(['-2', '-1', '-0', '0', '1', '2', '1.5', '-1234', '-0.2', '5', '12345.5', '1000000']);
    const unit = pick(['second', 'minutes', 'hour', 'days', 'week', 'month', 'quarters', 'year']);
    return ['RelativeTimeFormat', l, o, [v, unit], answer(() => parts(new Intl.RelativeTimeFormat(l, o).formatToParts(Number(v), unit)))];
  });
}
writeFileSync(file, rows.map((r) => JSON.stringify(r)).join('\n') + '\n');
console.log(rows.length);
