package cell

import (
	"context"

	"google.golang.org/grpc"

	"workflow-worker/runtime"
)

// store is the parent's runtime.CodeStore, in a cell.
type store struct {
	parent *grpc.ClientConn
	teller *teller
}

// Put implements runtime.CodeStore.
func (s store) Put(ctx context.Context, projectID string, modules []runtime.StoredModule) error {
	_, err := ask[ok](ctx, s.parent, parentService, methodPut, put{projectID, modules})
	return err
}

// Get implements runtime.CodeStore.
func (s store) Get(ctx context.Context, projectID, hash string) (runtime.StoredModule, error) {
	return ask[runtime.StoredModule](ctx, s.parent, parentService, methodGet, codeRef{projectID, hash})
}

// PutPackages implements runtime.CodeStore.
func (s store) PutPackages(ctx context.Context, list []runtime.StoredPackages) error {
	_, err := ask[ok](ctx, s.parent, parentService, methodPutPackages, packages{list})
	return err
}

// GetPackages implements runtime.CodeStore.
func (s store) GetPackages(ctx context.Context, hash string) (runtime.StoredPackages, error) {
	return ask[runtime.StoredPackages](ctx, s.parent, parentService, methodGetPackages, codeRef{Hash: hash})
}

// Used implements runtime.CodeStore.
func (s store) Used(projectID, hash string) { s.teller.codeUsed(projectID, hash) }
