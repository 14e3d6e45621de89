package activities

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestOnlyPublicUnicastAddressesAreDialled(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"8.8.8.8": "", "1.1.1.1": "", "172.15.255.255": "", "172.32.0.1": "", "100.63.255.255": "", "100.128.0.1": "", "223.255.255.254": "",
		"2606:4700:4700::1111": "", "2a00:1450:4001::1": "", "::ffff:8.8.8.8": "", "64:ff9b::8.8.8.8": "", "2002:808:808::1": "",

		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback",
		"0.0.0.0": "unspecified", "::": "unspecified", "::ffff:0.0.0.0": "unspecified", "0.1.2.3": "this-network",
		"10.0.0.1": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private", "fd00::1": "private",
		"fc00::1": "private", "::ffff:10.1.2.3": "private",
		"169.254.169.254": "link-local", "fe80::1": "link-local", "fe80::1%eth0": "link-local", "::ffff:169.254.169.254": "link-local",
		"224.0.0.1": "multicast", "239.1.2.3": "multicast", "ff02::1": "multicast",
		"100.64.0.1": "carrier-grade NAT", "100.127.255.255": "carrier-grade NAT",
		"192.0.0.8": "reserved", "192.0.2.1": "documentation", "198.51.100.1": "documentation", "203.0.113.9": "documentation",
		"2001:db8::1": "documentation", "3fff::1": "documentation", "192.88.99.1": "reserved",
		"198.18.0.1": "benchmarking", "198.19.255.255": "benchmarking", "240.0.0.1": "reserved", "255.255.255.255": "reserved",
		"2001::1": "reserved", "fec0::1": "non-global", "100::1": "non-global", "::1.2.3.4": "non-global", "5f00::1": "non-global",
		"64:ff9b::127.0.0.1": "loopback", "64:ff9b::a00:1": "private", "2002:7f00:1::1": "loopback", "2002:a9fe:a9fe::1": "link-local",
		"64:ff9b:1::1": "non-global",
	} {
		a := netip.MustParseAddr(address)
		err := GuardOptions{}.check(netip.AddrPortFrom(a, 80))
		var refused *AddressError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: refused: %v", address, err)
		case want != "" && !errors.As(err, &refused):
			t.Errorf("%s: let through (%v)", address, err)
		case want != "" && refused.Kind != want:
			t.Errorf("%s: called %s, want %s", address, refused.Kind, want)
		}
		if err := (GuardOptions{AllowPrivate: true}).check(netip.AddrPortFrom(a, 80)); err != nil {
			t.Errorf("%s: refused though everything is allowed: %v", address, err)
		}
	}
}

func TestAllowedPrefixesAreLetThroughAndNothingElse(t *testing.T) {
	t.Parallel()
	o := GuardOptions{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd12::/16")}}
	for address, allowed := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "fd12::5": true, "8.8.8.8": true,
		"10.2.0.1": false, "127.0.0.1": false, "fd13::5": false,
	} {
		if err := o.check(netip.AddrPortFrom(netip.MustParseAddr(address), 80)); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// onlyLoopback1 reaches the test servers on 127.0.0.1 and nothing else that isn't public.
func onlyLoopback1() GuardOptions {
	return GuardOptions{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
}

// serverAt starts a server on a loopback address of its own choice.
func serverAt(t *testing.T, ip string, h http.Handler) *httptest.Server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Skipf("this machine has no %s: %v", ip, err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}} // a test needs no header timeout
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func TestRefusalNamesTheSettingAndIsPermanent(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 10)
	server := serverAt(t, "127.0.0.1", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	s := New(Options{})
	for name, url := range map[string]string{
		"address":     server.URL,
		"name":        strings.Replace(server.URL, "127.0.0.1", "localhost", 1), // resolves to loopback
		"ipv4 mapped": strings.Replace(server.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1),
		"decimal":     strings.Replace(server.URL, "127.0.0.1", "0", 1), // where the resolver knows such forms at all
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t, s, "httpRequest", `{"url":"`+url+`/secret?token=1"}`)
			if name == "decimal" && err != nil && strings.Contains(err.Error(), "lookup 0") {
				return
			}
			app := wantFailure(t, err, AddressNotAllowedType, true)
			if !strings.Contains(app.Message(), AllowPrivateSetting) {
				t.Errorf("the message doesn't name the setting: %s", app.Message())
			}
		})
	}
	if len(reached) > 0 {
		t.Error("the server was reached")
	}
}

func TestRedirectToAPrivateAddressIsRefused(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 10)
	private := serverAt(t, "127.0.0.2", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	public := serverAt(t, "127.0.0.1", http.RedirectHandler(private.URL+"/metadata", http.StatusFound))
	s := New(Options{HTTP: HTTPClient(onlyLoopback1())})
	_, err := call(t, s, "httpRequest", `{"url":"`+public.URL+`"}`)
	wantFailure(t, err, AddressNotAllowedType, true)
	if len(reached) > 0 {
		t.Error("the private server was reached")
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	proxied := make(chan struct{}, 10)
	proxy := serverAt(t, "127.0.0.2", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied <- struct{}{} }))
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	t.Setenv("ALL_PROXY", proxy.URL)
	// Proxies are never asked for loopback addresses, so a name that doesn't exist must fail at its
	// lookup.
	s := New(Options{HTTP: HTTPClient(GuardOptions{AllowPrivate: true})})
	_, err := call(t, s, "httpRequest", `{"url":"http://name.invalid/"}`)
	wantFailure(t, err, NetworkErrorType, false)
	if len(proxied) > 0 {
		t.Error("the request went through the proxy")
	}
}
