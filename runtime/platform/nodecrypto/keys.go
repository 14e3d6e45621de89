package nodecrypto

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"

	"workflow-worker/runtime/platform/webcrypto"
)

// nodeKey is what node:crypto's KeyObject says of a key. PEM is PKCS #8 or SPKI.
type nodeKey struct {
	PEM   string `json:"pem"`
	Kind  string `json:"kind"`            // rsa, ec, ed25519, x25519
	Bits  int    `json:"bits,omitempty"`  // of an RSA modulus
	Curve string `json:"curve,omitempty"` // in OpenSSL's words
	JWK   string `json:"jwk"`
}

// parsePrivate reads DER in the forms that there are.
func parsePrivate(der []byte) (any, error) {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	return nil, errKey
}

// parsePublic reads a public key, or that of a certificate or of a private key.
func parsePublic(der []byte) (any, error) {
	if k, err := x509.ParsePKIXPublicKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return k, nil
	}
	if c, err := x509.ParseCertificate(der); err == nil {
		return c.PublicKey, nil
	}
	private, err := parsePrivate(der)
	if k, ok := private.(webcrypto.PrivateKey); err == nil && ok {
		return k.Public(), nil
	}
	return nil, errKey
}

// describeKey gives JSON of a nodeKey: format (pem, der, jwk), bytes, private.
func describeKey(c call) (any, error) {
	private := c.flag(2)
	data := c.bytes(1)
	switch c.text(0) {
	case "pem":
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, errKey
		}
		data = block.Bytes
	case "jwk":
		var err error
		if data, err = webcrypto.KeyOfJWK(data, private); err != nil {
			return nil, errors.New("Invalid JWK data")
		}
	}
	var key any
	var err error
	if private {
		key, err = parsePrivate(data)
	} else {
		key, err = parsePublic(data)
	}
	if err != nil {
		return nil, err
	}
	return jsonOfKey(key, private)
}

func jsonOfKey(key any, private bool) (any, error) {
	var der []byte
	var err error
	kind, public := "PUBLIC KEY", key
	if private {
		kind = "PRIVATE KEY"
		der, err = x509.MarshalPKCS8PrivateKey(key)
		if k, ok := key.(webcrypto.PrivateKey); ok {
			public = k.Public()
		}
	} else {
		der, err = x509.MarshalPKIXPublicKey(key)
	}
	if err != nil {
		return nil, errKey
	}
	out := nodeKey{PEM: string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))}
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() > webcrypto.MaxModulusBits {
			return nil, fmt.Errorf("keys of more than %d bits can't be used", webcrypto.MaxModulusBits)
		}
		out.Kind, out.Bits = "rsa", k.N.BitLen()
	case *ecdsa.PublicKey:
		out.Kind, out.Curve = "ec", map[string]string{"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}[k.Params().Name]
	case ed25519.PublicKey:
		out.Kind = "ed25519"
	case *ecdh.PublicKey:
		out.Kind = "x25519"
	default:
		return nil, errKey
	}
	if out.JWK, err = webcrypto.JWKOfKey(der, private); err != nil {
		return nil, errKey
	}
	text, err := json.Marshal(out)
	return string(text), err
}

// generatePair gives the JSON of two keys: kind, bits, curve.
func generatePair(c call) (any, error) {
	kinds := map[string]string{"rsa": "RSA", "rsa-pss": "RSA", "ec": "EC", "ed25519": "Ed25519", "x25519": "X25519"}
	kind, ok := kinds[c.text(0)]
	if !ok {
		return nil, fmt.Errorf("keys of type %q can't be made here: there are rsa, ec, ed25519 and x25519", c.text(0))
	}
	curves := map[string]string{"prime256v1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
	curve := c.text(2)
	if name, ok := curves[curve]; ok {
		curve = name
	}
	key, err := webcrypto.GenerateKey(kind, c.number(1), curve)
	if err != nil {
		return nil, err
	}
	private, err := jsonOfKey(key, true)
	if err != nil {
		return nil, err
	}
	public, err := jsonOfKey(key.Public(), false)
	return []string{fmt.Sprint(private), fmt.Sprint(public)}, err
}

// agree is diffieHellman: private and public key as PEM.
func agree(c call) (any, error) {
	private, err := privateKey(c.text(0))
	if err != nil {
		return nil, err
	}
	public, err := publicKey(c.text(1))
	if err != nil {
		return nil, err
	}
	return webcrypto.SharedSecret(private, public)
}

// cryptRSA is publicEncrypt and privateDecrypt: encrypt, key, data, hash for OAEP or "", label.
func cryptRSA(c call) (any, error) {
	encrypt, data, oaep := c.flag(0), c.bytes(2), c.text(3)
	var h func() hash.Hash
	if oaep != "" {
		var err error
		if h, err = hashOf(oaep); err != nil {
			return nil, err
		}
	}
	if encrypt {
		key, err := publicKey(c.text(1))
		public, ok := key.(*rsa.PublicKey)
		if err != nil || !ok {
			return nil, errKey
		}
		if oaep != "" {
			return rsa.EncryptOAEP(h(), rand.Reader, public, data, c.bytes(4))
		}
		return rsa.EncryptPKCS1v15(rand.Reader, public, data) //nolint:staticcheck // what old services want; Node has it too
	}
	key, err := privateKey(c.text(1))
	private, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errKey
	}
	var out []byte
	if oaep != "" {
		out, err = rsa.DecryptOAEP(h(), nil, private, data, c.bytes(4))
	} else {
		out, err = rsa.DecryptPKCS1v15(nil, private, data) //nolint:staticcheck // as above
	}
	if err != nil {
		return nil, errors.New("the data can't be decrypted with this key")
	}
	return out, nil
}

// pssOptions are those of a signature with RSA-PSS; Node's -2 (the most) and -1 (as the digest) are
// turned into Go's.
func pssOptions(salt int, id crypto.Hash) *rsa.PSSOptions {
	switch {
	case salt == -1:
		salt = rsa.PSSSaltLengthEqualsHash
	case salt < 0:
		salt = rsa.PSSSaltLengthAuto
	}
	return &rsa.PSSOptions{SaltLength: salt, Hash: id}
}
