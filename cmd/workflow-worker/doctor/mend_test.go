package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the server says of our certificate may be lost with the connection.
func TestACertificateThatHasEndedIsNamedWhateverTheConnectionSays(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir, reset := t.TempDir(), fmt.Errorf("write failed: %w", syscall.ECONNRESET)
	for ends, want := range map[time.Duration]bool{-time.Hour: true, time.Hour: false} {
		own := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(ends)}
		signed, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: signed}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
			if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p := &Patient{Now: time.Now, DatabaseURL: "postgres://u@h/d?sslmode=require&sslcert=" + certFile + "&sslkey=" + keyFile}
		if mend := p.mendOfDatabase(reset); strings.Contains(mend, "renew our certificate") != want {
			t.Errorf("it ends in %v: %s", ends, mend)
		}
	}
}
