package rows

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"workflow-worker/migrations/database"
	"workflow-worker/runtime"
)

// CodeStore keeps texts in workflow_code_store. It implements
// runtime.CodeStore.
type CodeStore struct {
	pool *database.Pool

	mu   sync.Mutex // guards used
	used map[storedKey]struct{}
}

// storedKey names a row of workflow_code_store.
type storedKey struct{ projectID, hash string }

// NewCodeStore returns a store on the database that pool reaches.
func NewCodeStore(pool *database.Pool) *CodeStore {
	return &CodeStore{pool: pool, used: map[storedKey]struct{}{}}
}

// Put implements runtime.CodeStore. All modules travel in one statement. One
// that is there already keeps its text, which is the same by its hash; only
// that it is in use again is noted.
func (s *CodeStore) Put(ctx context.Context, projectID string, modules []runtime.StoredModule) error {
	if len(modules) == 0 {
		return nil
	}
	// A statement can't touch a row twice, and always the same order keeps two
	// replicas from waiting for each other's rows.
	modules = slices.Clone(modules)
	slices.SortStableFunc(modules, func(a, b runtime.StoredModule) int { return strings.Compare(a.Hash, b.Hash) })
	modules = slices.CompactFunc(modules, func(a, b runtime.StoredModule) bool { return a.Hash == b.Hash })

	n := len(modules)
	hash, kind, workflow := make([]string, n), make([]string, n), make([]*string, n)
	name, version, code, activities := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	packages, activitiesPackages := make([]string, n), make([]string, n)
	settings, sdk := make([]string, n), make([]string, n)
	for i, m := range modules {
		hash[i], kind[i], name[i], version[i] = m.Hash, m.Kind, m.Name, m.Version
		code[i], activities[i] = m.Code, m.ActivitiesCode
		packages[i], activitiesPackages[i] = m.Packages, m.ActivitiesPackages
		settings[i], sdk[i] = m.CompilerSettings, m.SDK
		if m.WorkflowID != "" {
			workflow[i] = &m.WorkflowID
		}
	}
	_, err := s.pool.Exec(ctx, `
INSERT INTO public.workflow_code_store AS s (project_id, hash, workflow_id, kind, name, version, workflow_code, activities_code, packages, activities_packages,
  compiler_settings, sdk_version)
SELECT $1, u.hash, u.workflow_id, u.kind, u.name, u.version, u.code, u.activities, nullif(u.packages, ''), nullif(u.activities_packages, ''),
  nullif(u.settings, ''), nullif(u.sdk, '')
FROM unnest($2::text[], $3::text[]::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
  AS u (hash, workflow_id, kind, name, version, code, activities, packages, activities_packages, settings, sdk)
ON CONFLICT (project_id, hash) DO UPDATE SET last_used_at = now(), superseded_at = NULL,
  compiler_settings = coalesce(s.compiler_settings, excluded.compiler_settings), sdk_version = coalesce(s.sdk_version, excluded.sdk_version)`,
		projectID, hash, workflow, kind, name, version, code, activities, packages, activitiesPackages, settings, sdk)
	if err != nil {
		return fmt.Errorf("store code of project %s: %w", projectID, err)
	}
	return nil
}

const storedModuleSQL = `
SELECT hash, kind, coalesce(workflow_id::text, ''), name, version, workflow_code, coalesce(activities_code, ''),
  coalesce(packages, ''), coalesce(activities_packages, ''), coalesce(compiler_settings, ''), coalesce(sdk_version, '')
FROM public.workflow_code_store WHERE project_id = $1 AND hash = ANY($2::text[])`

// Get implements runtime.CodeStore.
func (s *CodeStore) Get(ctx context.Context, projectID, hash string) (runtime.StoredModule, error) {
	found, err := s.GetAll(ctx, projectID, []string{hash})
	if err != nil {
		return runtime.StoredModule{}, err
	}
	m, ok := found[hash]
	if !ok {
		return runtime.StoredModule{}, fmt.Errorf("code %s of project %s: %w", hash, projectID, runtime.ErrCodeNotFound)
	}
	return m, nil
}

// Used implements runtime.CodeStore. What was noted reaches the database with
// the next clean-up, see CodeMargin in reconcile.Config.
func (s *CodeStore) Used(projectID, hash string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[storedKey{projectID, hash}] = struct{}{}
}

// NoteUsed writes what Used noted. What can't be written is kept for the next
// time.
func (s *CodeStore) NoteUsed(ctx context.Context) error {
	s.mu.Lock()
	used := s.used
	s.used = map[storedKey]struct{}{}
	s.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	var projects, hashes []string
	for k := range used {
		projects, hashes = append(projects, k.projectID), append(hashes, k.hash)
	}
	_, err := s.pool.Exec(ctx, `
UPDATE public.workflow_code_store s SET last_used_at = now()
FROM unnest($1::text[]::uuid[], $2::text[]) AS u (project_id, hash)
WHERE s.project_id = u.project_id AND s.hash = u.hash`, projects, hashes)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for k := range used {
			s.used[k] = struct{}{}
		}
		return fmt.Errorf("note which code is in use: %w", err)
	}
	return nil
}

// GetAll returns those of the hashes that are there.
func (s *CodeStore) GetAll(ctx context.Context, projectID string, hashes []string) (map[string]runtime.StoredModule, error) {
	rows, err := s.pool.Query(ctx, storedModuleSQL, projectID, hashes)
	if err != nil {
		return nil, fmt.Errorf("read code of project %s: %w", projectID, err)
	}
	modules, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m runtime.StoredModule, err error) {
		err = row.Scan(&m.Hash, &m.Kind, &m.WorkflowID, &m.Name, &m.Version, &m.Code, &m.ActivitiesCode, &m.Packages, &m.ActivitiesPackages,
			&m.CompilerSettings, &m.SDK)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read code of project %s: %w", projectID, err)
	}
	found := map[string]runtime.StoredModule{}
	for _, m := range modules {
		found[m.Hash] = m
	}
	return found, nil
}
