package migrations_test

import "slices"

// catalogSQL describes all that there is in a database, a line each, in words that
// stay the same as long as nothing changes.
const catalogSQL = `
SELECT line FROM (
    SELECT 'column ' || c.oid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') || coalesce(' acl ' || a.attacl::text, '')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'v', 'p') AND n.nspname IN ('public', 'auth', 'workflow_worker')
    UNION ALL
    SELECT 'relation ' || c.oid::regclass || ' ' || c.relkind::text || ' rls ' || c.relrowsecurity || ' identity ' || c.relreplident::text || ' acl ' || coalesce(c.relacl::text, '')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'p', 'S') AND n.nspname IN ('public', 'auth', 'workflow_worker')
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0
    UNION ALL
    SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname IN ('public', 'workflow_worker')
    UNION ALL
    SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure || ' ' || md5(pg_get_functiondef(p.oid)) || ' acl ' || coalesce(p.proacl::text, '')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('public', 'auth', 'workflow_worker')
    UNION ALL
    SELECT 'policy ' || tablename || ' ' || policyname || ' ' || permissive || ' ' || cmd || ' ' || roles::text || ' ' || coalesce(qual, '') || ' check ' || coalesce(with_check, '')
    FROM pg_policies
    UNION ALL
    SELECT 'publication ' || pubname || ' ' || tablename || ' ' || attnames::text FROM pg_publication_tables
    UNION ALL
    SELECT 'comment ' || classoid::regclass || ' ' || objoid || ' ' || objsubid || ' ' || description FROM pg_description WHERE objoid >= 16384
) AS lines (line) ORDER BY line`

func (d *database) catalog() []string {
	d.Helper()
	return d.strings(catalogSQL)
}

// difference lists what is in a and not in b, and the other way round.
func difference(a, b []string) (lines []string) {
	for _, line := range a {
		if !slices.Contains(b, line) {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			lines = append(lines, "+ "+line)
		}
	}
	return lines
}
