//go:build race

package workflow

const raced = true
