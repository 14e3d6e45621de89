package workflow

import (
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/compile"
)

// scheduling are the packages that people use for times of other places; what is wanted is what
// they gave on Node 20, but for the zone +05:30, which Node knows from 22 on.
const scheduling = `import { DateTime, IANAZone, Interval, Info } from 'luxon';
import { formatInTimeZone, toZonedTime, fromZonedTime, format } from 'date-fns-tz';
import { CronExpressionParser } from 'cron-parser';
import dayjs from 'dayjs';
import utc from 'dayjs/plugin/utc';
import timezone from 'dayjs/plugin/timezone';
import moment from 'moment-timezone';
dayjs.extend(utc); dayjs.extend(timezone);
const at = Date.UTC(2024, 2, 30, 22, 15);
export function luxonOf() {
  const d = DateTime.fromMillis(at, { zone: 'Europe/Berlin' });
  const next = d.plus({ days: 1 }).set({ hour: 9, minute: 0 });
  const gap = DateTime.fromObject({ year: 2024, month: 3, day: 31, hour: 2, minute: 30 }, { zone: 'Europe/Berlin' });
  const fold = DateTime.fromObject({ year: 2024, month: 10, day: 27, hour: 2, minute: 30 }, { zone: 'Europe/Berlin' });
  return [d.isValid, d.toISO(), d.zoneName, d.offset, next.toISO(), next.toMillis() - d.toMillis(), gap.toISO(), fold.toISO(), fold.plus({ hours: 1 }).toISO(),
    d.setZone('America/New_York').toFormat('yyyy-MM-dd HH:mm ZZZZ ZZZZZ'), d.setLocale('de').toFormat('cccc, d. LLLL yyyy'), d.setLocale('fr').toLocaleString(DateTime.DATETIME_FULL),
    d.setLocale('en-GB').toLocaleString(DateTime.DATETIME_HUGE), d.setZone('Mars/Olympus').invalidReason, IANAZone.isValidZone('asia/tokyo'), d.isInDST, next.isInDST,
    Info.months('long', { locale: 'es' }).join(), Info.weekdays('short', { locale: 'it' }).join(), DateTime.fromFormat('3 mars 2024', 'd LLLL yyyy', { locale: 'fr', zone: 'utc' }).toISODate(),
    Interval.fromDateTimes(d, next).toLocaleString(DateTime.DATE_MED, { locale: 'de' }), d.setZone('+05:30').toISO(), d.toRelative({ base: next, locale: 'de' })];
}
export function dateFnsTz() {
  const berlin = fromZonedTime('2024-07-01 09:00', 'Europe/Berlin');
  return [berlin.toISOString(), formatInTimeZone(at, 'Asia/Kolkata', 'yyyy-MM-dd HH:mm:ssXXX'), formatInTimeZone(at, 'America/New_York', 'EEEE d MMM HH:mm zzz'), toZonedTime(at, 'Asia/Tokyo').toISOString(),
    formatInTimeZone(at, 'Europe/London', 'HH:mm zzzz'), format(toZonedTime(at, 'Europe/Paris'), 'HH:mm O', { timeZone: 'Europe/Paris' })];
}
export function cron() {
  const it = CronExpressionParser.parse('30 2 * * *', { currentDate: new Date(at), tz: 'Europe/Berlin' });
  const work = CronExpressionParser.parse('0 9 * * 1-5', { currentDate: new Date(at), tz: 'America/New_York' });
  return [...[it, it, it, work, work].map((x) => x.next().toISOString()), it.prev().toISOString()];
}
export function dayjsOf() {
  const d = dayjs.utc(at).tz('Europe/Berlin');
  return [d.format(), d.utcOffset(), d.add(1, 'day').hour(9).format('YYYY-MM-DD HH:mm Z'), dayjs.tz('2024-07-01 09:00', 'America/New_York').toISOString(), d.format('z'), d.offsetName('long')];
}
export function momentOf() {
  const m = moment.tz(at, 'Europe/Berlin');
  return [m.format(), m.clone().add(1, 'day').hour(9).format('YYYY-MM-DD HH:mm z'), moment.tz('2024-07-01 09:00', 'Asia/Kolkata').toISOString()];
}
export async function all() {
  const before = [luxonOf(), dateFnsTz(), cron(), dayjsOf(), momentOf()];
  await sleep(5);
  // A replay that knew other zones would set another timer.
  await sleep(new Intl.DateTimeFormat('de', { timeZone: 'Pacific/Auckland', timeZoneName: 'long' }).format(at).length);
  return before;
}`

func TestPackagesKnowTimeZonesAndLanguages(t *testing.T) {
	t.Parallel()
	race.AtSpeed(t)
	p := unstarted(t)
	p.patiently()
	p.comp = compile.New(compile.Config{Modules: stacktest.Packages(t)})
	t.Cleanup(p.comp.Close)
	p.deploy(scheduling)
	p.startWorker()
	want(t, p.run("all"), `[[true,"2024-03-30T23:15:00.000+01:00","Europe/Berlin",60,"2024-03-31T09:00:00.000+02:00",31500000,"2024-03-31T03:30:00.000+02:00","2024-10-27T02:30:00.000+01:00","2024-10-27T03:30:00.000+01:00","2024-03-30 18:15 EDT Eastern Daylight Time","Samstag, 30. März 2024","30 mars 2024 à 23:15 UTC+1","Saturday, 30 March 2024 at 23:15 Central European Standard Time","unsupported zone",true,false,true,"enero,febrero,marzo,abril,mayo,junio,julio,agosto,septiembre,octubre,noviembre,diciembre","lun,mar,mer,gio,ven,sab,dom","2024-03-03","30.–31. März 2024","2024-03-31T03:45:00.000+05:30","vor 8 Stunden"],`+
		`["2024-07-01T07:00:00.000Z","2024-03-31 03:45:00+05:30","Saturday 30 Mar 18:15 EDT","2024-03-31T07:15:00.000Z","22:15 Greenwich Mean Time","23:15 GMT+1"],`+
		`["2024-03-31T01:30:00.000Z","2024-04-01T00:30:00.000Z","2024-04-02T00:30:00.000Z","2024-04-01T13:00:00.000Z","2024-04-02T13:00:00.000Z","2024-04-01T00:30:00.000Z"],`+
		`["2024-03-30T23:15:00+01:00",60,"2024-03-31 09:15 +01:00","2024-07-01T13:00:00.000Z","z","Central European Standard Time"],`+
		`["2024-03-30T23:15:00+01:00","2024-03-31 09:15 CEST","2024-07-01T03:30:00.000Z"]]`)
	p.replayAll()
}
