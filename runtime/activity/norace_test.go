//go:build !race

package activity

const raced = false
