package activities

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// AllowPrivateSetting is the setting that lets untrusted code reach addresses that are not public;
// refusals name it.
const AllowPrivateSetting = "HTTP_ALLOW_PRIVATE"

// GuardOptions configures [HTTPClient].
type GuardOptions struct {
	// AllowPrivate lets every address through. Default: only public unicast addresses.
	AllowPrivate bool

	// Allow lets these addresses through too, whatever they are.
	Allow []netip.Prefix

	// DialTimeout bounds one connection attempt and, separately, its TLS handshake. Default: 10 s.
	DialTimeout time.Duration

	// MaxRedirects is how many redirects are followed. Default: 20, what browsers and Node do.
	MaxRedirects int

	// MaxConnsPerHost bounds the connections to one host, idle ones included; requests beyond wait.
	// Default: 64.
	MaxConnsPerHost int

	// TLS is the base of the TLS configuration. Default: the system's authorities.
	TLS *tls.Config
}

// AddressError says that the guard refused an address.
type AddressError struct {
	Address netip.AddrPort
	Kind    string // what the address is: "loopback", "private", …
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("%s is a %s address, and %s is not set", e.Address, e.Kind, AllowPrivateSetting)
}

// errTooManyRedirects ends a chain of redirects.
var errTooManyRedirects = errors.New("too many redirects")

// HTTPClient makes the client that code of a project reaches the network through: httpRequest here
// and JavaScript's fetch. Addresses that are not public are refused where they are dialled, after
// name resolution and again for each redirect, so that no name and no redirect leads around it; the
// error wraps an [*AddressError]. Proxies of the environment are not used: they would dial for us,
// unchecked. The client keeps connections alive for its users; give each project its own, so that
// they don't share cookies of TLS sessions or the limits, and call CloseIdleConnections when it's
// done.
//
// It sets no timeout: requests carry theirs in their context.
func HTTPClient(o GuardOptions) *http.Client {
	if o.DialTimeout <= 0 {
		o.DialTimeout = 10 * time.Second
	}
	if o.MaxRedirects <= 0 {
		o.MaxRedirects = 20
	}
	if o.MaxConnsPerHost <= 0 {
		o.MaxConnsPerHost = 64
	}
	dialer := &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 30 * time.Second, ControlContext: o.control}
	var config *tls.Config
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    o.DialTimeout,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    8,
			MaxConnsPerHost:        o.MaxConnsPerHost,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 256 << 10,
			ExpectContinueTimeout:  time.Second,
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > o.MaxRedirects {
				return errTooManyRedirects
			}
			return nil
		},
	}
}

// control sees each address as it's about to be connected to.
func (o GuardOptions) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("network %q is not allowed", network)
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("check the address %q: %w", address, err)
	}
	return o.check(ap)
}

func (o GuardOptions) check(ap netip.AddrPort) error {
	if o.AllowPrivate {
		return nil
	}
	addr := ap.Addr().WithZone("").Unmap()
	for _, p := range o.Allow {
		if p.Contains(addr) {
			return nil
		}
	}
	if kind := kindOf(addr); kind != "" {
		return &AddressError{Address: netip.AddrPortFrom(addr, ap.Port()), Kind: kind}
	}
	return nil
}

// kindOf says why an address is not a public unicast one; "" when it is. An IPv6 address that
// carries an IPv4 address to which a gateway would send it is what the IPv4 address is.
func kindOf(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "unspecified"
	case a.IsLoopback():
		return "loopback"
	case a.IsPrivate():
		return "private"
	case a.IsLinkLocalUnicast():
		return "link-local"
	case a.IsMulticast():
		return "multicast"
	}
	for _, s := range specialAddresses() {
		if s.prefix.Contains(a) {
			return s.kind
		}
	}
	if a.Is4() {
		return ""
	}
	b := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a): // NAT64
		return kindOf(netip.AddrFrom4([4]byte(b[12:])))
	case netip.MustParsePrefix("2002::/16").Contains(a): // 6to4
		return kindOf(netip.AddrFrom4([4]byte(b[2:6])))
	case !netip.MustParsePrefix("2000::/3").Contains(a):
		return "non-global"
	}
	return ""
}

type special struct {
	prefix netip.Prefix
	kind   string
}

// specialAddresses is IANA's special-purpose registries, as far as package netip doesn't know them
// by itself.
func specialAddresses() []special {
	return []special{
		{netip.MustParsePrefix("0.0.0.0/8"), "this-network"},
		{netip.MustParsePrefix("100.64.0.0/10"), "carrier-grade NAT"},
		{netip.MustParsePrefix("192.0.0.0/24"), "reserved"},
		{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
		{netip.MustParsePrefix("192.88.99.0/24"), "reserved"},
		{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
		{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
		{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
		{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
		{netip.MustParsePrefix("2001::/23"), "reserved"}, // Teredo, benchmarking, ORCHID
		{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
		{netip.MustParsePrefix("3fff::/20"), "documentation"},
	}
}
