package cdc

import (
	"context"
	"time"
)

// poll has everything looked at by the clock until ctx ends: rarely in any case, for
// what the stream may have missed, and often while there is no stream.
func (s *Source) poll(ctx context.Context) {
	resync := time.NewTicker(s.config.ResyncInterval)
	defer resync.Stop()
	poll := time.NewTicker(s.config.PollInterval)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-resync.C:
			s.config.Handler.LookAtAll("resync")
		case <-poll.C:
			if !s.status.isStreaming() {
				s.config.Handler.LookAtAll("polling")
			}
		case <-s.status.turned:
			s.config.Handler.LookAtAll("polling")
			poll.Reset(s.config.PollInterval)
		}
	}
}
