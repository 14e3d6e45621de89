#!/usr/bin/env bash
# google.golang.org/grpc v1.85.0 and go.temporal.io/sdk v1.51.0 (Go 1.26): the address's host doesn't exist, and DNS says so (NXDOMAIN).
#
# The behaviour: gRPC's resolver takes this answer for a name with no addresses, since that's how a missing TXT record looks as well.
# What a call then says depends on who balances: by default "produced zero addresses"; with round_robin, which Temporal's SDK sets,
# "no children to pick from". Neither the host nor DNS is in it. A DNS server that fails (SERVFAIL) is told, with the host.
#
# Guessed: the error says "no such host" and the name, as Go's net.Dial does.
# Surprising: the commonest mistake in an address, a typo in the host, is the one that is not told; a DNS server in trouble is.
#
# Seen on 2026-12-01:
#   net's own error names the host: true
#   pick_first: name resolver error: produced zero addresses
#   round_robin: no children to pick from
#   Temporal's SDK: failed reaching server: no children to pick from
#   pick_first, SERVFAIL, its error names the host: true
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module run

go 1.26.0

require (
	go.temporal.io/sdk v1.51.0
	golang.org/x/net v0.47.0
	google.golang.org/grpc v1.85.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/net/dns/dnsmessage"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// serve is a DNS server that has one answer.
func serve(answer dnsmessage.RCode) string {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil {
				continue
			}
			m.Response, m.RCode, m.Answers, m.Additionals = true, answer, nil, nil
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// call is what a call to the host says.
func call(server, config string) string {
	c, err := grpc.NewClient("dns://"+server+"/orders.example:7233",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(config))
	if err != nil {
		panic(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err = grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return status.Convert(err).Message()
}

func main() {
	none, failing := serve(dnsmessage.RCodeNameError), serve(dnsmessage.RCodeServerFailure)
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", none)
	}}
	_, err := r.LookupHost(context.Background(), "orders.example")
	var dns *net.DNSError
	fmt.Println("net's own error names the host:", errors.As(err, &dns) && dns.IsNotFound && strings.Contains(err.Error(), "orders.example"))
	fmt.Println("pick_first:", call(none, `{}`))
	fmt.Println("round_robin:", call(none, `{"loadBalancingConfig": [{"round_robin": {}}]}`))
	_, err = client.Dial(client.Options{HostPort: "dns://" + none + "/orders.example:7233", Logger: silent{}})
	fmt.Println("Temporal's SDK:", err)
	fmt.Println("pick_first, SERVFAIL, its error names the host:", strings.Contains(call(failing, `{}`), "orders.example"))
}
GO
GOFLAGS=-mod=mod go mod tidy >/dev/null 2>&1
go run . >seen
cat seen
diff seen - <<'WANT'
net's own error names the host: true
pick_first: name resolver error: produced zero addresses
round_robin: no children to pick from
Temporal's SDK: failed reaching server: no children to pick from
pick_first, SERVFAIL, its error names the host: true
WANT
