// Package nodecrypto is what node:crypto stands on: see runtime/bundle/ts/node/crypto.ts.
package nodecrypto

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // people check sums of files with it
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

// call are the arguments of one call.
type call struct{ goja.FunctionCall }

func (c call) text(i int) string { return c.Argument(i).String() }
func (c call) number(i int) int  { return int(c.Argument(i).ToInteger()) }
func (c call) flag(i int) bool   { return c.Argument(i).ToBoolean() }
func (c call) bytes(i int) []byte {
	if b, ok := sandbox.Exported[goja.ArrayBuffer](c.Argument(i)); ok {
		return b.Bytes()
	}
	b, _ := sandbox.Exported[[]byte](c.Argument(i))
	return b
}

// functions are the host's, by name. A result of []byte becomes an ArrayBuffer.
var functions = map[string]func(call) (any, error){
	"hashes": func(call) (any, error) {
		return slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Keys(hashes)), slices.Collect(maps.Keys(otherHashes)), slices.Collect(maps.Keys(otherNames))))), nil
	},
	"digest": digestOf,
	"scrypt": deriveByScrypt,
	"hmac": func(c call) (any, error) {
		h, err := hashOf(c.text(0))
		if err != nil {
			return nil, err
		}
		mac := hmac.New(h, c.bytes(1))
		mac.Write(c.bytes(2))
		return mac.Sum(nil), nil
	},
	"equal": func(c call) (any, error) { return subtle.ConstantTimeCompare(c.bytes(0), c.bytes(1)) == 1, nil },
	"pbkdf2": func(c call) (any, error) {
		h, err := hashOf(c.text(0))
		if err != nil {
			return nil, err
		}
		if err := inBounds("iterations", c.number(3), maxIterations); err != nil {
			return nil, err
		}
		if err := inBounds("keylen", c.number(4), maxDerived); err != nil {
			return nil, err
		}
		return pbkdf2.Key(h, string(c.bytes(1)), c.bytes(2), c.number(3), c.number(4))
	},
	"hkdf": func(c call) (any, error) {
		h, err := hashOf(c.text(0))
		if err != nil {
			return nil, err
		}
		if err := inBounds("keylen", c.number(4), maxDerived); err != nil {
			return nil, err
		}
		return hkdf.Key(h, c.bytes(1), c.bytes(2), string(c.bytes(3)), c.number(4))
	},
	"cipher": func(c call) (any, error) {
		return applyCipher(c.text(0), c.flag(1), c.bytes(2), c.bytes(3), c.bytes(4), c.bytes(5), c.flag(6))
	},
	"sign": func(c call) (any, error) {
		return signPEM(c.text(0), c.text(1), c.bytes(2), c.flag(3), c.flag(4), c.number(5))
	},
	"verify": func(c call) (any, error) {
		return verifyPEM(c.text(0), c.text(1), c.bytes(2), c.bytes(3), c.flag(4), c.flag(5), c.number(6))
	},
	"key":      describeKey,
	"keyPair":  generatePair,
	"agree":    agree,
	"cryptRSA": cryptRSA,
}

const (
	// These computations can't be interrupted; Node's own limits allow minutes.
	maxIterations = 10_000_000
	maxDerived    = 1 << 20
)

func inBounds(name string, n, most int) error {
	if n < 1 || n > most {
		return fmt.Errorf(`The value of "%s" is out of range. It must be >= 1 && <= %d. Received %d`, name, most, n)
	}
	return nil
}

// Host gives the functions that the bundle of Node's modules is given.
func Host(h platform.Host) map[string]any {
	members := map[string]any{}
	for name, f := range functions {
		members[name] = hostFunction(h, f)
	}
	return members
}

func hostFunction(h platform.Host, f func(call) (any, error)) func(goja.FunctionCall) goja.Value {
	r := h.VM().Runtime
	return func(c goja.FunctionCall) goja.Value {
		out, err := f(call{c})
		if err != nil {
			e, newErr := r.New(r.Get("Error"), r.ToValue(err.Error()))
			if newErr != nil {
				panic(newErr) // goja's way to throw into JavaScript
			}
			panic(e)
		}
		switch out := out.(type) {
		case []byte:
			return platform.Buffer(h, out)
		case []string:
			list := make([]any, len(out))
			for i, s := range out {
				list[i] = s
			}
			return r.NewArray(list...)
		}
		return r.ToValue(out)
	}
}

var hashes = map[string]struct {
	new func() hash.Hash
	id  crypto.Hash
}{
	"md5":        {md5.New, crypto.MD5},
	"sha1":       {sha1.New, crypto.SHA1},
	"sha224":     {sha256.New224, crypto.SHA224},
	"sha256":     {sha256.New, crypto.SHA256},
	"sha384":     {sha512.New384, crypto.SHA384},
	"sha512":     {sha512.New, crypto.SHA512},
	"sha512-224": {sha512.New512_224, crypto.SHA512_224},
	"sha512-256": {sha512.New512_256, crypto.SHA512_256},
	"sha3-224":   {func() hash.Hash { return sha3.New224() }, crypto.SHA3_224},
	"sha3-256":   {func() hash.Hash { return sha3.New256() }, crypto.SHA3_256},
	"sha3-384":   {func() hash.Hash { return sha3.New384() }, crypto.SHA3_384},
	"sha3-512":   {func() hash.Hash { return sha3.New512() }, crypto.SHA3_512},
}

// hashName reads the spellings that Node takes: SHA256, sha-256, RSA-SHA256.
func hashName(name string) string {
	name = strings.TrimPrefix(strings.ToLower(name), "rsa-")
	if rest, ok := strings.CutPrefix(name, "sha-"); ok {
		name = "sha" + rest
	}
	return strings.ReplaceAll(name, "/", "-")
}

func hashOf(name string) (func() hash.Hash, error) {
	name = hashName(name)
	if other, ok := otherNames[name]; ok {
		name = other
	}
	if h, ok := hashes[name]; ok {
		return h.new, nil
	}
	if h, ok := otherHashes[name]; ok {
		return h, nil
	}
	return nil, errors.New("Digest method not supported")
}

func signPEM(algorithm, key string, data []byte, p1363, pss bool, salt int) ([]byte, error) {
	private, err := privateKey(key)
	if err != nil {
		return nil, err
	}
	digest, id, err := digestFor(algorithm, data)
	if err != nil {
		return nil, err
	}
	switch k := private.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(k, data), nil
	case *rsa.PrivateKey:
		if pss {
			return rsa.SignPSS(rand.Reader, k, id, digest, pssOptions(salt, id))
		}
		return rsa.SignPKCS1v15(nil, k, id, digest)
	case *ecdsa.PrivateKey:
		if !p1363 {
			return ecdsa.SignASN1(rand.Reader, k, digest)
		}
		r, s, err := ecdsa.Sign(rand.Reader, k, digest)
		if err != nil {
			return nil, err
		}
		size := (k.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out, nil
	}
	return nil, fmt.Errorf("keys of type %T are not supported", private)
}

func verifyPEM(algorithm, key string, data, signature []byte, p1363, pss bool, salt int) (bool, error) {
	public, err := publicKey(key)
	if err != nil {
		return false, err
	}
	digest, id, err := digestFor(algorithm, data)
	if err != nil {
		return false, err
	}
	switch k := public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, data, signature), nil
	case *rsa.PublicKey:
		if pss {
			return rsa.VerifyPSS(k, id, digest, signature, pssOptions(salt, id)) == nil, nil
		}
		return rsa.VerifyPKCS1v15(k, id, digest, signature) == nil, nil
	case *ecdsa.PublicKey:
		if p1363 {
			half := len(signature) / 2
			signature, err = asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
			if err != nil {
				return false, err
			}
		}
		return ecdsa.VerifyASN1(k, digest, signature), nil
	}
	return false, fmt.Errorf("keys of type %T are not supported", public)
}

// digestFor is what is signed; Ed25519 signs the data itself, and its algorithm is null.
func digestFor(algorithm string, data []byte) ([]byte, crypto.Hash, error) {
	if algorithm == "" {
		algorithm = "sha256"
	}
	h, ok := hashes[hashName(algorithm)]
	if !ok {
		return nil, 0, errors.New("Invalid digest: " + algorithm)
	}
	sum := h.new()
	sum.Write(data)
	return sum.Sum(nil), h.id, nil
}

var errKey = errors.New("the key can't be read: PEM of an RSA, EC or Ed25519 key without a passphrase is needed")

func privateKey(text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKey
	}
	return parsePrivate(block.Bytes)
}

func publicKey(text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKey
	}
	return parsePublic(block.Bytes)
}
