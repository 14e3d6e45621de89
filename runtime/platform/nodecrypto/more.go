package nodecrypto

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // what others have encrypted with it is still to be read
	"crypto/sha3"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/ripemd160" //nolint:gosec,staticcheck // as md5
	"golang.org/x/crypto/scrypt"

	"workflow-worker/runtime/platform/webcrypto"
)

// What can't be interrupted: three seconds at most, and a quarter of what an activity may keep.
const (
	maxScryptMemory = 64 << 20
	maxScryptWork   = 1 << 23
)

// deriveByScrypt has password, salt, N, r, p, length and maxmem.
func deriveByScrypt(c call) (any, error) {
	n, r, p, length, most := c.number(2), c.number(3), c.number(4), c.number(5), c.number(6)
	if n < 2 || n&(n-1) != 0 || r < 1 || p < 1 || r > 1<<24 || p > 1<<24 || n > 1<<30 {
		return nil, errors.New("Invalid scrypt params")
	}
	if memory := 128*n*r + 128*r*p; memory > most {
		return nil, errors.New("Invalid scrypt params: error:030000AC:digital envelope routines::memory limit exceeded")
	} else if memory > maxScryptMemory || n*r*p > maxScryptWork {
		return nil, fmt.Errorf("scrypt takes %d MB of memory and N * r * p = %d here, at most", maxScryptMemory>>20, maxScryptWork)
	}
	if length == 0 {
		return []byte{}, nil
	}
	if length < 0 || length > maxDerived {
		return nil, fmt.Errorf(`The value of "keylen" is out of range. It must be >= 0 && <= %d. Received %d`, maxDerived, length)
	}
	return scrypt.Key(c.bytes(0), c.bytes(1), n, r, p, length)
}

// otherHashes are those that nothing is signed with here.
var otherHashes = map[string]func() hash.Hash{
	"ripemd160":  ripemd160.New,
	"blake2b512": func() hash.Hash { h, _ := blake2b.New512(nil); return h }, // fails for a bad key alone
	"blake2s256": func() hash.Hash { h, _ := blake2s.New256(nil); return h }, // as above
	"shake128":   func() hash.Hash { return &extendable{sha3.NewSHAKE128(), 16} },
	"shake256":   func() hash.Hash { return &extendable{sha3.NewSHAKE256(), 32} },
}

// otherNames are what else Node calls them.
var otherNames = map[string]string{"ripemd": "ripemd160", "rmd160": "ripemd160"}

// extendable is a hash that gives as many bytes as it is asked for: size, where nobody says.
type extendable struct {
	*sha3.SHAKE
	size int
}

func (e *extendable) Size() int { return e.size }

// Sum gives the digest of what was written; it is asked for once.
func (e *extendable) Sum(b []byte) []byte {
	out := make([]byte, e.size)
	_, _ = e.Read(out) // never fails
	return append(b, out...)
}

// digestOf has the algorithm, the data, and how long the digest is; below 0, as long as usual.
func digestOf(c call) (any, error) {
	h, err := hashOf(c.text(0))
	if err != nil {
		return nil, err
	}
	sum := h()
	if length := c.number(2); length >= 0 && length != sum.Size() {
		e, ok := sum.(*extendable)
		if !ok || length > maxDerived {
			return nil, errors.New("error:030000B2:digital envelope routines::not XOF or invalid length")
		}
		e.size = length
	}
	sum.Write(c.bytes(1))
	return sum.Sum(nil), nil
}

// applyCipher encrypts or decrypts; the caller has checked name, key and iv.
func applyCipher(name string, encrypt bool, key, iv, data, additional []byte, padding bool) ([]byte, error) {
	switch {
	case name == "chacha20-poly1305":
		aead, err := chacha20poly1305.New(key)
		if err != nil {
			return nil, errors.New("Invalid key length")
		}
		if encrypt {
			return aead.Seal(nil, iv, data, additional), nil
		}
		plain, err := aead.Open(nil, iv, data, additional)
		if err != nil {
			return nil, errors.New("Unsupported state or unable to authenticate data")
		}
		return plain, nil
	case name == "des-ede3-cbc":
		block, err := des.NewTripleDESCipher(key) //nolint:gosec // as above
		if err != nil {
			return nil, errors.New("Invalid key length")
		}
		return blockwise(block.BlockSize(), cipher.NewCBCEncrypter(block, iv), cipher.NewCBCDecrypter(block, iv), encrypt, data, padding)
	case strings.HasSuffix(name, "-ecb"):
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, errors.New("Invalid key length")
		}
		return blockwise(block.BlockSize(), each{block, block.Encrypt}, each{block, block.Decrypt}, encrypt, data, padding)
	}
	return webcrypto.ApplyCipher(name, encrypt, key, iv, data, additional, padding)
}

// each is a block cipher by itself, as ECB has it.
type each struct {
	cipher.Block
	do func(dst, src []byte)
}

func (e each) CryptBlocks(dst, src []byte) {
	for n := e.BlockSize(); len(src) >= n; dst, src = dst[n:], src[n:] {
		e.do(dst[:n], src[:n])
	}
}

func blockwise(size int, encrypter, decrypter cipher.BlockMode, encrypt bool, data []byte, padding bool) ([]byte, error) {
	if encrypt && padding {
		n := size - len(data)%size
		data = append(slices.Clone(data), bytes.Repeat([]byte{byte(n)}, n)...)
	}
	if len(data)%size != 0 || len(data) == 0 && padding {
		return nil, errors.New("wrong final block length")
	}
	out := make([]byte, len(data))
	if encrypt {
		encrypter.CryptBlocks(out, data)
		return out, nil
	}
	decrypter.CryptBlocks(out, data)
	if !padding {
		return out, nil
	}
	n := int(out[len(out)-1])
	if n == 0 || n > size || !bytes.Equal(out[len(out)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, errors.New("bad decrypt")
	}
	return out[:len(out)-n], nil
}
