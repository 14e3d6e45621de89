// Package services binds runtime/language/intl to JavaScript: what the library's Intl is made of.
//
// It promises: a text that takes long to be looked at, or compared, is refused with an error that
// names the limit.
package services
