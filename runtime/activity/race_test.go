//go:build race

package activity

const raced = true
