package webcrypto

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // Web Crypto has it, for what isn't security
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"math/big"

	"github.com/dop251/goja"

	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

// What JavaScript waits for can't be interrupted inside Go, so that one call is bounded by itself.
const (
	maxKeyIterations = 5_000_000
	MaxModulusBits   = 4096 // of RSA keys
	maxDerivedBytes  = 1 << 20
)

// cryptoError is an error with the name that Web Crypto has for it.
type cryptoError struct{ name, message string }

func (e *cryptoError) Error() string { return e.message }

func operationError(message string) error { return &cryptoError{"OperationError", message} }
func dataError(message string) error      { return &cryptoError{"DataError", message} }

// subtle carries out what crypto.js has checked: an operation and its parameters. It answers with
// {value} or {error, message}.
func (w webCrypto) subtle(call goja.FunctionCall) goja.Value {
	p := cryptoParameters{call.Argument(1).ToObject(w.VM().Runtime)}
	value, err := w.operation(call.Argument(0).String(), p)
	if err != nil {
		name := "OperationError"
		var named *cryptoError
		if errors.As(err, &named) {
			name = named.name
		}
		return platform.Object(w, map[string]any{"error": name, "message": err.Error()})
	}
	if b, ok := value.([]byte); ok {
		value = w.VM().Runtime.NewArrayBuffer(b)
	}
	return platform.Object(w, map[string]any{"value": value})
}

// cryptoParameters are an operation's, by name.
type cryptoParameters struct{ o *goja.Object }

func (p cryptoParameters) bytes(name string) []byte {
	if b, ok := sandbox.Exported[goja.ArrayBuffer](p.o.Get(name)); ok {
		return b.Bytes()
	}
	return nil
}
func (p cryptoParameters) text(name string) string { return platform.Text(p.o, name) }
func (p cryptoParameters) number(name string) int  { return platform.Integer(p.o, name) }

func (p cryptoParameters) hash() crypto.Hash {
	switch p.text("hash") {
	case "SHA-1":
		return crypto.SHA1
	case "SHA-384":
		return crypto.SHA384
	case "SHA-512":
		return crypto.SHA512
	default:
		return crypto.SHA256
	}
}

func (w webCrypto) operation(operation string, p cryptoParameters) (any, error) {
	switch operation {
	case "digest":
		return digestOf(p.hash(), p.bytes("data")), nil
	case "sign":
		return signData(p)
	case "verify":
		return verifyData(p), nil
	case "encrypt", "decrypt":
		return applyAlgorithm(operation, p)
	case "ECDH":
		return agree(p)
	case "PBKDF2", "HKDF":
		return deriveBits(operation, p)
	case "generate":
		private, public, err := generatePair(p)
		if err != nil {
			return nil, err
		}
		r := w.VM().Runtime
		return platform.Object(w, map[string]any{"private": r.NewArrayBuffer(private), "public": r.NewArrayBuffer(public)}), nil
	case "describe":
		return w.describeKey(p.bytes("der"), p.text("type"))
	case "point":
		return spkiOfPoint(p.text("curve"), p.bytes("data"))
	case "raw":
		return pointOfSPKI(p.bytes("der"))
	case "fromJWK":
		return KeyOfJWK([]byte(p.text("jwk")), p.text("type") == "private")
	case "toJWK":
		return JWKOfKey(p.bytes("der"), p.text("type") == "private")
	}
	return nil, &cryptoError{"NotSupportedError", fmt.Sprintf("no operation %q", operation)}
}

func digestOf(h crypto.Hash, data []byte) []byte {
	d := h.New()
	d.Write(data)
	return d.Sum(nil)
}

func macOf(p cryptoParameters) []byte {
	m := hmac.New(func() hash.Hash { return p.hash().New() }, p.bytes("key"))
	m.Write(p.bytes("data"))
	return m.Sum(nil)
}

func signData(p cryptoParameters) ([]byte, error) {
	if p.text("scheme") == "HMAC" {
		return macOf(p), nil
	}
	key, err := x509.ParsePKCS8PrivateKey(p.bytes("key"))
	if err != nil {
		return nil, operationError("the key can't be used")
	}
	if key, ok := key.(ed25519.PrivateKey); ok {
		return ed25519.Sign(key, p.bytes("data")), nil
	}
	sum := digestOf(p.hash(), p.bytes("data"))
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if p.text("scheme") == "RSA-PSS" {
			return rsa.SignPSS(rand.Reader, key, p.hash(), sum, &rsa.PSSOptions{SaltLength: p.number("saltLength")})
		}
		return rsa.SignPKCS1v15(nil, key, p.hash(), sum)
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, sum)
		if err != nil {
			return nil, err
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
	}
	return nil, operationError("the key can't sign")
}

func verifyData(p cryptoParameters) bool {
	signature := p.bytes("signature")
	if p.text("scheme") == "HMAC" {
		return hmac.Equal(macOf(p), signature)
	}
	key, err := x509.ParsePKIXPublicKey(p.bytes("key"))
	if err != nil {
		return false
	}
	if key, ok := key.(ed25519.PublicKey); ok {
		return ed25519.Verify(key, p.bytes("data"), signature)
	}
	sum := digestOf(p.hash(), p.bytes("data"))
	switch key := key.(type) {
	case *rsa.PublicKey:
		if p.text("scheme") == "RSA-PSS" {
			return rsa.VerifyPSS(key, p.hash(), sum, signature, &rsa.PSSOptions{SaltLength: p.number("saltLength")}) == nil
		}
		return rsa.VerifyPKCS1v15(key, p.hash(), sum, signature) == nil
	case *ecdsa.PublicKey:
		size := (key.Curve.Params().BitSize + 7) / 8
		if len(signature) != 2*size {
			return false
		}
		return ecdsa.Verify(key, sum, new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:]))
	}
	return false
}

func applyGCM(operation string, p cryptoParameters) ([]byte, error) {
	block, err := aes.NewCipher(p.bytes("key"))
	if err != nil {
		return nil, err
	}
	iv, tag := p.bytes("iv"), p.number("tagLength")
	if tag < 96 || tag > 128 || tag%8 != 0 {
		return nil, operationError(fmt.Sprintf("%d is not a valid AES-GCM tag length: 96 to 128 bits are", tag))
	}
	var aead cipher.AEAD
	switch {
	case len(iv) == 0:
		return nil, operationError("the iv is empty")
	case tag == 128:
		aead, err = cipher.NewGCMWithNonceSize(block, len(iv))
	case len(iv) == 12:
		aead, err = cipher.NewGCMWithTagSize(block, tag/8)
	default:
		return nil, &cryptoError{"NotSupportedError", "a tag of less than 128 bits needs an iv of 12 bytes"}
	}
	if err != nil {
		return nil, err
	}
	if operation == "encrypt" {
		return aead.Seal(nil, iv, p.bytes("data"), p.bytes("additionalData")), nil
	}
	out, err := aead.Open(nil, iv, p.bytes("data"), p.bytes("additionalData"))
	if err != nil {
		return nil, errOperation()
	}
	return out, nil
}

func deriveBits(operation string, p cryptoParameters) ([]byte, error) {
	length := p.number("length")
	if length > maxDerivedBytes {
		return nil, operationError(fmt.Sprintf("more than %d bytes can't be derived at once", maxDerivedBytes))
	}
	h := func() hash.Hash { return p.hash().New() }
	if operation == "HKDF" {
		return hkdf.Key(h, p.bytes("key"), p.bytes("salt"), string(p.bytes("info")), length)
	}
	n := p.number("iterations")
	if n < 1 || n*(1+length/p.hash().Size()) > maxKeyIterations {
		return nil, operationError(fmt.Sprintf("the iterations must be 1 to %d", maxKeyIterations))
	}
	return pbkdf2.Key(h, string(p.bytes("key")), p.bytes("salt"), n, length)
}

func generatePair(p cryptoParameters) (private, public []byte, err error) {
	key, err := GenerateKey(p.text("kind"), p.number("bits"), p.text("curve"))
	if err != nil {
		return nil, nil, err
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err == nil {
		public, err = x509.MarshalPKIXPublicKey(key.Public())
	}
	return private, public, err
}

// PrivateKey is what all private keys are: those of package ecdh can't sign.
type PrivateKey interface{ Public() crypto.PublicKey }

func GenerateKey(kind string, bits int, curve string) (PrivateKey, error) {
	switch kind {
	case "RSA":
		if bits < 1024 || bits > MaxModulusBits {
			return nil, operationError(fmt.Sprintf("modulusLength must be 1024 to %d", MaxModulusBits))
		}
		return rsa.GenerateKey(rand.Reader, bits)
	case "Ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "X25519":
		return ecdh.X25519().GenerateKey(rand.Reader)
	}
	c, err := curveOf(curve)
	if err != nil {
		return nil, err
	}
	return ecdsa.GenerateKey(c, rand.Reader)
}

// agree is the secret that a private key shares with a public one.
func agree(p cryptoParameters) ([]byte, error) {
	private, err := x509.ParsePKCS8PrivateKey(p.bytes("key"))
	if err != nil {
		return nil, operationError("the key can't be used")
	}
	public, err := publicOf(p.bytes("public"), false)
	if err != nil {
		return nil, err
	}
	return SharedSecret(private, public)
}

func SharedSecret(private, public any) (secret []byte, err error) {
	if k, ok := private.(*ecdsa.PrivateKey); ok {
		if private, err = k.ECDH(); err != nil {
			return nil, err
		}
	}
	if k, ok := public.(*ecdsa.PublicKey); ok {
		if public, err = k.ECDH(); err != nil {
			return nil, err
		}
	}
	own, ok := private.(*ecdh.PrivateKey)
	their, also := public.(*ecdh.PublicKey)
	if !ok || !also || own.Curve() != their.Curve() {
		return nil, &cryptoError{"InvalidAccessError", "the keys don't belong together"}
	}
	return own.ECDH(their)
}

func curveOf(name string) (elliptic.Curve, error) {
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if c.Params().Name == name {
			return c, nil
		}
	}
	return nil, &cryptoError{"NotSupportedError", "Unrecognized namedCurve"}
}

// describeKey tells what a key's DER holds, and refuses what isn't one.
func (w webCrypto) describeKey(der []byte, keyType string) (goja.Value, error) {
	public, err := publicOf(der, keyType == "private")
	if err != nil {
		return nil, err
	}
	switch key := public.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() > MaxModulusBits {
			return nil, dataError(fmt.Sprintf("keys of more than %d bits can't be used", MaxModulusBits))
		}
		exponent := w.VM().Runtime.NewArrayBuffer(big.NewInt(int64(key.E)).Bytes())
		return platform.Object(w, map[string]any{"kind": "RSA", "bits": key.N.BitLen(), "exponent": exponent}), nil
	case *ecdsa.PublicKey:
		return platform.Object(w, map[string]any{"kind": "EC", "curve": key.Curve.Params().Name}), nil
	case ed25519.PublicKey:
		return platform.Object(w, map[string]any{"kind": "Ed25519"}), nil
	case *ecdh.PublicKey:
		return platform.Object(w, map[string]any{"kind": "X25519"}), nil
	}
	return nil, dataError("Invalid key type")
}

// publicOf is the public half of PKCS #8, or SPKI itself.
func publicOf(der []byte, private bool) (crypto.PublicKey, error) {
	if !private {
		key, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, dataError("Invalid keyData")
		}
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	k, ok := key.(PrivateKey)
	if err != nil || !ok {
		return nil, dataError("Invalid keyData")
	}
	return k.Public(), nil
}

func spkiOfPoint(name string, point []byte) ([]byte, error) {
	switch name {
	case "Ed25519":
		if len(point) != ed25519.PublicKeySize {
			return nil, dataError("Invalid keyData")
		}
		return x509.MarshalPKIXPublicKey(ed25519.PublicKey(bytes.Clone(point)))
	case "X25519":
		key, err := ecdh.X25519().NewPublicKey(point)
		if err != nil {
			return nil, dataError("Invalid keyData")
		}
		return x509.MarshalPKIXPublicKey(key)
	}
	curve, err := curveOf(name)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, bytes.Clone(point))
	if err != nil {
		return nil, dataError("Invalid keyData")
	}
	return x509.MarshalPKIXPublicKey(key)
}

func pointOfSPKI(der []byte) ([]byte, error) {
	key, err := publicOf(der, false)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case ed25519.PublicKey:
		return key, nil
	case *ecdh.PublicKey:
		return key.Bytes(), nil
	case *ecdsa.PublicKey:
		return key.Bytes()
	}
	return nil, dataError("Invalid key type")
}
