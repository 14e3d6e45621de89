package webcrypto

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"slices"
	"strings"
)

// ApplyCipher encrypts or decrypts; the caller has checked name, key and iv.
func ApplyCipher(name string, encrypt bool, key, iv, data, additional []byte, padding bool) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errors.New("Invalid key length")
	}
	switch {
	case strings.HasSuffix(name, "-gcm"):
		gcm, err := cipher.NewGCMWithNonceSize(block, len(iv))
		if err != nil {
			return nil, errors.New("Invalid initialization vector")
		}
		if encrypt {
			return gcm.Seal(nil, iv, data, additional), nil
		}
		plain, err := gcm.Open(nil, iv, data, additional)
		if err != nil {
			return nil, errors.New("Unsupported state or unable to authenticate data")
		}
		return plain, nil
	case strings.HasSuffix(name, "-ctr"):
		out := make([]byte, len(data))
		cipher.NewCTR(block, iv).XORKeyStream(out, data)
		return out, nil
	}
	if encrypt {
		if padding {
			n := aes.BlockSize - len(data)%aes.BlockSize
			data = append(slices.Clone(data), bytes.Repeat([]byte{byte(n)}, n)...)
		}
		if len(data)%aes.BlockSize != 0 {
			return nil, errors.New("wrong final block length")
		}
		out := make([]byte, len(data))
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, data)
		return out, nil
	}
	if len(data)%aes.BlockSize != 0 || len(data) == 0 && padding {
		return nil, errors.New("wrong final block length")
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	if !padding {
		return out, nil
	}
	n := int(out[len(out)-1])
	if n == 0 || n > aes.BlockSize || !bytes.Equal(out[len(out)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, errors.New("bad decrypt")
	}
	return out[:len(out)-n], nil
}
