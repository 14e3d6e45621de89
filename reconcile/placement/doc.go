// Package placement says which replicas run a project.
//
// Every replica computes the same from the same rows, so nobody leads and nothing is locked.
// Who runs a project is chosen by weighted rendezvous hashing over the replicas' names: the
// order of two replicas for a project depends on nothing but the two. So when one comes or goes,
// only what it gets, or had, moves.
//
// It is pure: no clock, no database. It imports nothing of ours.
package placement
