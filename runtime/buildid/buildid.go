// Package buildid says which build of the program runs. It imports nothing of ours.
package buildid

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"

	"go.temporal.io/sdk/worker"
)

// Tell tells the SDK which build this is, for the histories. It would find out by itself,
// by reading and hashing the whole program, 60 MB, while the first project waits to start. Without
// an answer it does.
func Tell(program string) {
	if id, err := of(program); err == nil {
		worker.SetBinaryChecksum(id)
	}
}

// of gives the hash of the content that Go's linker wrote into a program.
func of(program string) (string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return "", fmt.Errorf("read the build id: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	section := f.Section(".note.go.buildid")
	if section == nil {
		return "", fmt.Errorf("read the build id: %s has none", program)
	}
	note, err := section.Data()
	if err != nil {
		return "", fmt.Errorf("read the build id: %w", err)
	}
	const head = 16 // the lengths of name and text, the type, and the name "Go"
	if len(note) < head {
		return "", fmt.Errorf("read the build id: %s has a note of %d bytes", program, len(note))
	}
	size := int(f.ByteOrder.Uint32(note[binary.Size(uint32(0)):]))
	if size > len(note)-head {
		return "", fmt.Errorf("read the build id: the note of %s is cut off", program)
	}
	parts := strings.Split(string(note[head:head+size]), "/")
	id := parts[len(parts)-1] // before it come those of what it was made of
	if id == "" {
		return "", fmt.Errorf("read the build id: that of %s is empty", program)
	}
	return id, nil
}
