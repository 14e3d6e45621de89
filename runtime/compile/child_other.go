//go:build !linux

package compile

import "syscall"

// dieWithParent: elsewhere the child ends because its standard input does.
func dieWithParent() *syscall.SysProcAttr { return nil }

// limitData is Linux's.
func limitData(uint64) {}
