package cdc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// snapshot is PostgreSQL's pg_snapshot: which transactions a reader sees. It answers
// what pg_visible_in_snapshot would, for any number of transactions in one round
// trip, and also how many up to some id are invisible.
type snapshot struct {
	xmin uint64   // all below are visible
	xmax uint64   // none from here on is
	open []uint64 // those between that aren't, ascending
}

// parseSnapshot reads the text form, "xmin:xmax:open,open,…".
func parseSnapshot(text string) (snapshot, error) {
	var s snapshot
	fields := strings.Split(text, ":")
	if len(fields) != 3 {
		return s, fmt.Errorf("snapshot %q: want three fields", text)
	}
	var err error
	if s.xmin, err = strconv.ParseUint(fields[0], 10, 64); err != nil {
		return s, fmt.Errorf("snapshot %q: %w", text, err)
	}
	if s.xmax, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
		return s, fmt.Errorf("snapshot %q: %w", text, err)
	}
	if fields[2] == "" {
		return s, nil
	}
	for field := range strings.SplitSeq(fields[2], ",") {
		xid, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return s, fmt.Errorf("snapshot %q: %w", text, err)
		}
		s.open = append(s.open, xid)
	}
	slices.Sort(s.open)
	return s, nil
}

// full adds the epoch to the 32 bits of a transaction's id that the stream gives.
// The server never lets ids in use drift 2³¹ apart, so it is the nearest one.
func (s snapshot) full(xid uint32) uint64 {
	const epoch = 1 << 32
	id := s.xmax&^(epoch-1) | uint64(xid)
	switch {
	case id > s.xmax && id-s.xmax > epoch/2 && id >= epoch:
		id -= epoch
	case id < s.xmax && s.xmax-id > epoch/2:
		id += epoch
	}
	return id
}

// visible says whether a reader with this snapshot sees what the transaction did.
func (s snapshot) visible(xid uint32) bool {
	id := s.full(xid)
	switch {
	case id < s.xmin:
		return true
	case id >= s.xmax:
		return false
	}
	_, open := slices.BinarySearch(s.open, id)
	return !open
}

// invisible counts the transactions up to and with xid that a reader doesn't see.
func (s snapshot) invisible(xid uint32) uint64 {
	id := s.full(xid)
	n, found := slices.BinarySearch(s.open, id)
	if found {
		n++
	}
	count := uint64(n)
	if id >= s.xmax {
		count += id - s.xmax + 1
	}
	return count
}
