package webcrypto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"hash"
	"math/big"
	"slices"
)

// errOperation is what Web Crypto says of ciphertext, so that it gives no hint.
func errOperation() error {
	return operationError("The operation failed for an operation-specific reason")
}

// applyCTR is AES-CTR: of the counter block only the last length bits count, and wrap among
// themselves.
func applyCTR(p cryptoParameters) ([]byte, error) {
	block, err := aes.NewCipher(p.bytes("key"))
	if err != nil {
		return nil, err
	}
	counter, length, data := p.bytes("iv"), p.number("length"), p.bytes("data")
	if len(counter) != aes.BlockSize || length < 1 || length > 128 {
		return nil, operationError("the counter must have 16 bytes, and its length 1 to 128 bits")
	}
	all := new(big.Int).Lsh(big.NewInt(1), uint(length)) //nolint:gosec // checked
	blocks := big.NewInt(int64((len(data) + aes.BlockSize - 1) / aes.BlockSize))
	if blocks.Cmp(all) > 0 {
		return nil, operationError("the data is longer than the counter counts")
	}
	value := new(big.Int).SetBytes(counter)
	low := new(big.Int).Mod(value, all)
	out := make([]byte, len(data))
	until := len(data) // where the counter begins anew
	if left := new(big.Int).Sub(all, low); left.Cmp(blocks) < 0 {
		until = int(left.Int64()) * aes.BlockSize
	}
	cipher.NewCTR(block, counter).XORKeyStream(out[:until], data[:until])
	if until < len(data) {
		first := new(big.Int).Sub(value, low).FillBytes(make([]byte, aes.BlockSize))
		cipher.NewCTR(block, first).XORKeyStream(out[until:], data[until:])
	}
	return out, nil
}

// applyCBC is AES-CBC with PKCS #7's padding.
func applyCBC(operation string, p cryptoParameters) ([]byte, error) {
	if len(p.bytes("iv")) != aes.BlockSize {
		return nil, operationError("the iv must have 16 bytes")
	}
	out, err := ApplyCipher("-cbc", operation == "encrypt", p.bytes("key"), p.bytes("iv"), p.bytes("data"), nil, true)
	if err != nil {
		return nil, errOperation()
	}
	return out, nil
}

// keyWrapIV is RFC 3394's.
const keyWrapIV = 0xa6a6a6a6a6a6a6a6

// applyKeyWrap is AES-KW, RFC 3394.
func applyKeyWrap(operation string, p cryptoParameters) ([]byte, error) {
	block, err := aes.NewCipher(p.bytes("key"))
	if err != nil {
		return nil, err
	}
	data := p.bytes("data")
	wrap := operation == "encrypt"
	n := len(data)/8 - 1
	if wrap {
		n++
	}
	if len(data)%8 != 0 || n < 2 {
		return nil, errOperation()
	}
	buf := make([]byte, aes.BlockSize) // the running value A, and the register that is next
	r := slices.Clone(data)
	a := uint64(keyWrapIV)
	if !wrap {
		a, r = binary.BigEndian.Uint64(r), r[8:]
	}
	for step := range 6 * n {
		t := step
		if !wrap {
			t = 6*n - 1 - step
		}
		at := r[t%n*8:][:8]
		if wrap {
			binary.BigEndian.PutUint64(buf, a)
			copy(buf[8:], at)
			block.Encrypt(buf, buf)
			a = binary.BigEndian.Uint64(buf) ^ uint64(t+1) //nolint:gosec // small
		} else {
			binary.BigEndian.PutUint64(buf, a^uint64(t+1)) //nolint:gosec // small
			copy(buf[8:], at)
			block.Decrypt(buf, buf)
			a = binary.BigEndian.Uint64(buf)
		}
		copy(at, buf[8:])
	}
	head := binary.BigEndian.AppendUint64(nil, a)
	if wrap {
		return append(head, r...), nil
	}
	if subtle.ConstantTimeCompare(head, binary.BigEndian.AppendUint64(nil, keyWrapIV)) != 1 {
		return nil, errOperation()
	}
	return r, nil
}

// applyOAEP is RSA-OAEP.
func applyOAEP(operation string, p cryptoParameters) ([]byte, error) {
	h := func() hash.Hash { return p.hash().New() }
	if operation == "encrypt" {
		key, err := x509.ParsePKIXPublicKey(p.bytes("key"))
		public, ok := key.(*rsa.PublicKey)
		if err != nil || !ok {
			return nil, operationError("the key can't be used")
		}
		return rsa.EncryptOAEP(h(), rand.Reader, public, p.bytes("data"), p.bytes("additionalData"))
	}
	key, err := x509.ParsePKCS8PrivateKey(p.bytes("key"))
	private, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, operationError("the key can't be used")
	}
	out, err := rsa.DecryptOAEP(h(), nil, private, p.bytes("data"), p.bytes("additionalData"))
	if err != nil {
		return nil, errOperation()
	}
	return out, nil
}

// applyAlgorithm encrypts or decrypts.
func applyAlgorithm(operation string, p cryptoParameters) ([]byte, error) {
	var out []byte
	var err error
	switch name := p.text("algorithm"); name {
	case "AES-GCM":
		out, err = applyGCM(operation, p)
	case "AES-CBC":
		out, err = applyCBC(operation, p)
	case "AES-CTR":
		out, err = applyCTR(p)
	case "AES-KW":
		out, err = applyKeyWrap(operation, p)
	case "RSA-OAEP":
		out, err = applyOAEP(operation, p)
	default:
		return nil, fmt.Errorf("no algorithm %q", name)
	}
	if out == nil && err == nil {
		out = []byte{}
	}
	return out, err
}
