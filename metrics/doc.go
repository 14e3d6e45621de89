// Package metrics is what the service says about itself: Prometheus
// collectors, the health state and the HTTP server that shows both.
//
// It promises:
//
//   - One registry per [New], nothing global: two services may live in one
//     process, as tests do.
//   - The number of time series does not grow with projects, workflow types or
//     activity types. What the Temporal SDK measures per task queue is added up
//     over the process before it is shown.
//   - What users' code measures is shown apart (user_…), bounded per project, and
//     goes with the project; no name or value in it can spoil the scrape.
//   - Observer methods are cheap and never block, never panic, and take any
//     value: an unknown reason is counted as "other".
//   - A request never causes work elsewhere. Databases and Temporal are probed
//     in the background; /health only shows what the last probes saw.
//
// The other rooms own the observer interfaces and [Metrics] has their methods.
// This package imports nothing of ours, and must not begin to: cdc, reconcile
// and runtime could no longer be read, or tested, without it.
package metrics
