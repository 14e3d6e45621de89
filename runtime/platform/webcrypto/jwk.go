package webcrypto

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
)

// jwk is a JSON Web Key's part that is the key itself.
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   octet  `json:"x,omitempty"`
	Y   octet  `json:"y,omitempty"`
	N   octet  `json:"n,omitempty"`
	E   octet  `json:"e,omitempty"`
	D   octet  `json:"d,omitempty"`
	P   octet  `json:"p,omitempty"`
	Q   octet  `json:"q,omitempty"`
	DP  octet  `json:"dp,omitempty"`
	DQ  octet  `json:"dq,omitempty"`
	QI  octet  `json:"qi,omitempty"`
}

// octet is a number or a string of bytes, base64url in JSON.
type octet []byte

// MarshalText implements encoding.TextMarshaler.
func (o octet) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(o)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *octet) UnmarshalText(text []byte) (err error) {
	*o, err = base64.RawURLEncoding.DecodeString(string(text))
	return err
}

func (o octet) number() *big.Int { return new(big.Int).SetBytes(o) }

// KeyOfJWK gives PKCS #8 or SPKI.
func KeyOfJWK(text []byte, private bool) ([]byte, error) {
	var k jwk
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, dataError("Invalid keyData")
	}
	der, err := k.der(private)
	if err != nil {
		return nil, dataError("Invalid keyData")
	}
	return der, nil
}

func (k jwk) der(private bool) ([]byte, error) {
	switch k.Kty {
	case "RSA":
		if len(k.N) > MaxModulusBits/8 || !k.E.number().IsInt64() {
			return nil, dataError("Invalid keyData")
		}
		public := rsa.PublicKey{N: k.N.number(), E: int(k.E.number().Int64())}
		if !private {
			return x509.MarshalPKIXPublicKey(&public)
		}
		key := &rsa.PrivateKey{PublicKey: public, D: k.D.number(), Primes: []*big.Int{k.P.number(), k.Q.number()}}
		if err := key.Validate(); err != nil {
			return nil, err
		}
		key.Precompute()
		return x509.MarshalPKCS8PrivateKey(key)
	case "EC":
		curve, err := curveOf(k.Crv)
		if err != nil {
			return nil, err
		}
		public, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, k.X...), k.Y...))
		if err != nil || !private {
			if err != nil {
				return nil, err
			}
			return x509.MarshalPKIXPublicKey(public)
		}
		key, err := ecdsa.ParseRawPrivateKey(curve, k.D)
		if err != nil || !key.PublicKey.Equal(public) {
			return nil, dataError("Invalid keyData")
		}
		return x509.MarshalPKCS8PrivateKey(key)
	case "OKP":
		if private {
			return k.privateOKP()
		}
		return spkiOfPoint(k.Crv, k.X)
	}
	return nil, dataError("Invalid keyData")
}

// privateOKP gives the PKCS #8 of a key on one of Curve25519's forms.
func (k jwk) privateOKP() ([]byte, error) {
	switch k.Crv {
	case "Ed25519":
		if len(k.D) == ed25519.SeedSize {
			if key := ed25519.NewKeyFromSeed(k.D); bytes.Equal(key.Public().(ed25519.PublicKey), k.X) {
				return x509.MarshalPKCS8PrivateKey(key)
			}
		}
	case "X25519":
		if key, err := ecdh.X25519().NewPrivateKey(k.D); err == nil && bytes.Equal(key.PublicKey().Bytes(), k.X) {
			return x509.MarshalPKCS8PrivateKey(key)
		}
	}
	return nil, dataError("Invalid keyData")
}

// JWKOfKey is KeyOfJWK's opposite.
func JWKOfKey(der []byte, private bool) (string, error) {
	public, err := publicOf(der, private)
	if err != nil {
		return "", err
	}
	var secret any
	if private {
		if secret, err = x509.ParsePKCS8PrivateKey(der); err != nil {
			return "", err
		}
	}
	var k jwk
	switch public := public.(type) {
	case *rsa.PublicKey:
		k = jwk{Kty: "RSA", N: public.N.Bytes(), E: big.NewInt(int64(public.E)).Bytes()}
		if s, ok := secret.(*rsa.PrivateKey); ok && len(s.Primes) == 2 {
			k.D, k.P, k.Q = s.D.Bytes(), s.Primes[0].Bytes(), s.Primes[1].Bytes()
			k.DP, k.DQ, k.QI = s.Precomputed.Dp.Bytes(), s.Precomputed.Dq.Bytes(), s.Precomputed.Qinv.Bytes()
		}
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			return "", err
		}
		half := (len(point) - 1) / 2
		k = jwk{Kty: "EC", Crv: public.Curve.Params().Name, X: point[1 : 1+half], Y: point[1+half:]}
		if s, ok := secret.(*ecdsa.PrivateKey); ok {
			if k.D, err = s.Bytes(); err != nil {
				return "", err
			}
		}
	case ed25519.PublicKey:
		k = jwk{Kty: "OKP", Crv: "Ed25519", X: octet(public)}
		if s, ok := secret.(ed25519.PrivateKey); ok {
			k.D = s.Seed()
		}
	case *ecdh.PublicKey:
		k = jwk{Kty: "OKP", Crv: "X25519", X: public.Bytes()}
		if s, ok := secret.(*ecdh.PrivateKey); ok {
			k.D = s.Bytes()
		}
	}
	text, err := json.Marshal(k)
	return string(text), err
}
