//go:build !linux

package cell

import "os"

// pageFile is a file without a name.
func pageFile() (*os.File, error) {
	f, err := os.CreateTemp("", "cell")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // else it stays where it is
	return f, f.Truncate(pageSize)
}
