// Package temporal is how Temporal is asked about executions: what it is asked by, for how long, and
// what its errors mean. It imports nothing of ours.
package temporal
