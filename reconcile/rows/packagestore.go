package rows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
)

// PutPackages implements runtime.CodeStore. A bundle may be megabytes and is
// sent once: what is there already is only noted to be in use, so that no
// clean-up takes it before code refers to it.
func (s *CodeStore) PutPackages(ctx context.Context, packages []runtime.StoredPackages) error {
	// Always the same order keeps two replicas from waiting for each other.
	packages = slices.Clone(packages)
	slices.SortFunc(packages, func(a, b runtime.StoredPackages) int { return cmp.Compare(a.Hash, b.Hash) })
	packages = slices.CompactFunc(packages, func(a, b runtime.StoredPackages) bool { return a.Hash == b.Hash })
	for _, p := range packages {
		tag, err := s.pool.Exec(ctx, `UPDATE public.workflow_package_bundles SET last_used_at = now() WHERE hash = $1`, p.Hash)
		if err == nil && tag.RowsAffected() == 0 {
			_, err = s.pool.Exec(ctx, `
INSERT INTO public.workflow_package_bundles (hash, kind, names, code, source_map) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (hash) DO UPDATE SET last_used_at = now()`, p.Hash, p.Kind, p.Names, p.Code, p.Map)
		}
		if err != nil {
			return fmt.Errorf("store the npm packages %s: %w", p.Hash, err)
		}
	}
	return nil
}

// GetPackages implements runtime.CodeStore.
func (s *CodeStore) GetPackages(ctx context.Context, hash string) (runtime.StoredPackages, error) {
	p := runtime.StoredPackages{Hash: hash}
	err := s.pool.QueryRow(ctx, `
UPDATE public.workflow_package_bundles SET last_used_at = now() WHERE hash = $1
RETURNING kind, names, code, source_map`, hash).Scan(&p.Kind, &p.Names, &p.Code, &p.Map)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, fmt.Errorf("npm packages %s: %w", hash, runtime.ErrCodeNotFound)
	case err != nil:
		return p, fmt.Errorf("read the npm packages %s: %w", hash, err)
	}
	return p, nil
}

// RemovePackages removes the bundles that no code refers to. margin is the time
// between a bundle's being stored and the code's.
func (s *CodeStore) RemovePackages(ctx context.Context, margin time.Duration) error {
	_, err := s.pool.Exec(ctx, `
DELETE FROM public.workflow_package_bundles b
WHERE last_used_at < now() - $1 * interval '1 microsecond'
  AND NOT EXISTS (SELECT FROM public.workflow_code_store s WHERE s.packages = b.hash)
  AND NOT EXISTS (SELECT FROM public.workflow_code_store s WHERE s.activities_packages = b.hash)`, margin.Microseconds())
	if err != nil {
		return fmt.Errorf("remove npm packages that no code refers to: %w", err)
	}
	return nil
}
