// Package inspect shows values as Node's util.inspect and console.log do, all in one line.
//
// It promises: what it shows is bounded, in length and in depth; no getter is called.
package inspect
