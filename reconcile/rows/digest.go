package rows

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
)

// Digest is a hash over a list of strings in which no two lists look alike.
type Digest struct{ h hash.Hash }

// NewDigest returns one of no strings.
func NewDigest() Digest { return Digest{sha256.New()} }

func (d Digest) Add(parts ...string) {
	for _, p := range parts {
		d.h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		d.h.Write([]byte{':'})
		d.h.Write([]byte(p))
	}
}

func (d Digest) Sum() string { return hex.EncodeToString(d.h.Sum(nil)[:16]) }

func DigestOf(parts ...string) string {
	d := NewDigest()
	d.Add(parts...)
	return d.Sum()
}
