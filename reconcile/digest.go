package reconcile

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
)

// digest is a hash over a list of strings in which no two lists look alike.
type digest struct{ h hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) add(parts ...string) {
	for _, p := range parts {
		d.h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		d.h.Write([]byte{':'})
		d.h.Write([]byte(p))
	}
}

func (d digest) sum() string { return hex.EncodeToString(d.h.Sum(nil)[:16]) }

func digestOf(parts ...string) string {
	d := newDigest()
	d.add(parts...)
	return d.sum()
}
