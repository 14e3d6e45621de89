// Package json is JSON's parse and stringify, as the language has them where goja's differ, and
// bounded: goja goes through what a value leads to in Go, where nothing interrupts it.
//
// It promises: what nests too deep, or would take too much, is an error to code; halves of
// surrogate pairs stay what they are.
package json
