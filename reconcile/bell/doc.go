// Package bell is what loops of reconcile wait for: a ring, a while, or longer after each
// failure in a row. It imports nothing of ours.
package bell
