package stack

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range that systems use for outgoing
// connections (32768 and up on Linux): a server that is down for a moment, as in
// Restart, would lose a port from that range to any client that connects
// somewhere. At random, because several test binaries choose at the same time.
const (
	firstPort = 20000
	lastPort  = 32000
)

// FreePort returns a port of 127.0.0.1 that nobody listens on just now.
func FreePort() (int, error) {
	for range 200 {
		if port := firstPort + rand.IntN(lastPort-firstPort); PortIsFree(port) {
			return port, nil
		}
	}
	return 0, errors.New("find a free port on 127.0.0.1: 200 tries, all taken")
}

// PortIsFree says whether a server could listen on this port of 127.0.0.1.
func PortIsFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
