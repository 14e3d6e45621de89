//go:build !unix

package main

import "os"

// levelSignal is none here.
var levelSignal os.Signal
