// What people write with the packages for times of other places. schedules.json is what Node 20 makes of it, with the same packages and TZ=UTC.
import { DateTime, Settings, Duration, Info, Interval } from 'luxon';
import { formatInTimeZone, toZonedTime, fromZonedTime, getTimezoneOffset, format as fmtTz, toDate } from 'date-fns-tz';
import { enGB, de as deLocale } from 'date-fns/locale';
import { CronExpressionParser } from 'cron-parser';
import dayjs from 'dayjs';
import utc from 'dayjs/plugin/utc.js';
import timezone from 'dayjs/plugin/timezone.js';
import localizedFormat from 'dayjs/plugin/localizedFormat.js';
import advanced from 'dayjs/plugin/advancedFormat.js';
import moment from 'moment-timezone';
dayjs.extend(utc); dayjs.extend(timezone); dayjs.extend(localizedFormat); dayjs.extend(advanced);
const tryIt = (f) => { try { return f(); } catch (e) { return e.name + ': ' + e.message; } };
const at = Date.UTC(2024, 2, 30, 22, 15, 7, 89);
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Chatham'];
export const main = async () => {
  const out = [];
  for (const z of zones) {
    await new Promise((r) => setTimeout(r, 1)); // a slice of its own, for busy machines
    const d = DateTime.fromMillis(at, { zone: z });
    out.push([z, d.toISO(), d.offsetNameLong, d.offsetNameShort, d.toFormat("ccc d LLL yyyy h:mm a ZZZZ"),
      d.setLocale('de').toFormat('DDDD TTTT'), d.setLocale('ja').toFormat('DDD t'), d.startOf('week').toISO(),
      d.endOf('month').toISO(), d.diff(d.minus({ months: 1 }), ['days', 'hours']).toObject(),
      d.isInDST, d.toLocaleString(DateTime.DATETIME_MED_WITH_WEEKDAY, { locale: 'pt-BR' }),
      d.toLocaleParts({ locale: 'nl' }).map((p) => p.type + p.value).join('|'), d.toHTTP(), d.toRFC2822(),
      d.toLocaleString(DateTime.TIME_WITH_LONG_OFFSET, { locale: 'es' }),
      formatInTimeZone(at, z, 'PPPPpppp'), formatInTimeZone(at, z, 'PPp zzz', { locale: deLocale }),
        formatInTimeZone(at, z, "yyyy-MM-dd'T'HH:mm:ss.SSSxxx"), getTimezoneOffset(z, new Date(at)),
        fromZonedTime('2024-03-31 02:30', z).toISOString(), fromZonedTime('2024-11-03 01:30:00', z).toISOString(),
        toZonedTime(new Date(at), z).toISOString(), toDate('2024-10-27T02:30:00', { timeZone: z }).toISOString(),
        formatInTimeZone(at, z, 'EEEE do MMMM', { locale: enGB }),
      [CronExpressionParser.parse('*/30 1-3 31 3 *', { currentDate: new Date(at), tz: z })].map((i) => [i.next().toISOString(),
        i.next().toISOString(), i.next().toISOString(), i.next().toISOString(), i.next().toISOString()]),
      CronExpressionParser.parse('0 0 9 * * 1#2', { currentDate: new Date(at), tz: z }).next().toString(),
        CronExpressionParser.parse('@daily', { currentDate: '2024-10-26T12:00:00', tz: z }).take(3).map((x) => x.toISOString()),
      dayjs(at).tz(z).format('LLLL z'), dayjs.tz('2024-03-31 02:30', z).format(), dayjs(at).tz(z).startOf('day').toISOString(),
        dayjs(at).tz(z).add(1, 'month').format('YYYY-MM-DDTHH:mm:ssZ zzz'), dayjs.tz('2024-11-03 01:30', z).unix(),
        dayjs('2024-07-01').tz(z, true).toISOString(), dayjs.utc(at).tz(z).endOf('week').valueOf(),
      moment.tz(at, z).format('LLLL z Z'), moment.tz('2024-03-31 02:30', z).toISOString(), moment(at).tz(z).startOf('week').format(),
        moment.tz(at, z).isDST()]);
  }
  await new Promise((r) => setTimeout(r, 1));
  Settings.defaultZone = 'America/Los_Angeles'; Settings.defaultLocale = 'fr';
  const n = DateTime.fromISO('2024-03-10T02:30:00');
  out.push([n.toISO(), n.zoneName, n.toLocaleString(DateTime.DATETIME_FULL),
    DateTime.fromISO('2024-03-10T01:59:59').plus({ seconds: 1 }).toISO(),
    DateTime.fromObject({ hour: 1, minute: 30, year: 2024, month: 11, day: 3 }).plus({ hour: 1 }).toISO(),
    n.toRelative({ base: n.plus({ days: 3 }) }), n.toRelativeCalendar({ base: n.plus({ days: 1 }) }),
    Duration.fromObject({ hours: 26, minutes: 3 }).toHuman(),
    Duration.fromMillis(93784000).shiftTo('days', 'hours', 'minutes').toHuman({ unitDisplay: 'short' }),
    Info.hasDST('America/Phoenix'), Info.weekdays('long'), Info.meridiems(), Info.eras('long'), Info.getStartOfWeek?.(),
    Interval.after(n, { hours: 5 }).toLocaleString(DateTime.DATETIME_MED),
    DateTime.fromFormat('mars 31, 2024 14:05', 'LLLL d, yyyy HH:mm').toISO(),
    DateTime.fromFormat('2024-03-31 14:05 Europe/Berlin', 'yyyy-MM-dd HH:mm z', { setZone: true }).toISO(),
    DateTime.fromISO('2024-06-01T00:00:00+05:30', { setZone: true }).toISO(),
    DateTime.local().zoneName, n.toLocal().zoneName, n.toUTC().toISO(),
    DateTime.fromISO('2024-03-31T12:00', { zone: 'system' }).zoneName, n.resolvedLocaleOptions()]);
  out.push([tryIt(() => formatInTimeZone(at, 'Nowhere/Land', 'zzz')),
    tryIt(() => CronExpressionParser.parse('* * * * *', { tz: 'Nowhere/Land' }).next().toString()),
    tryIt(() => dayjs(at).tz('Nowhere/Land').format()),
    DateTime.fromMillis(at, { zone: 'Nowhere/Land' }).invalidExplanation, tryIt(() => dayjs.tz.guess()), moment.tz.guess()]);
  return out;
};
