package cldr

import (
	"archive/zip"
	"fmt"
	"strings"
	"sync"
	"time"
)

// ZonesVersion is the release of the time zones, as "2025c".
func ZonesVersion() (string, error) {
	v, err := dist.ReadFile("dist/zoneinfo.version")
	if err != nil {
		return "", ErrNotBuilt
	}
	return string(v), nil
}

var zones = sync.OnceValues(func() (map[string]func() (*time.Location, error), error) {
	files, err := archive("zoneinfo.zip")
	if err != nil {
		return nil, err
	}
	all := map[string]func() (*time.Location, error){}
	for _, f := range files.File {
		if !strings.HasSuffix(f.Name, "/") {
			all[f.Name] = sync.OnceValues(func() (*time.Location, error) { return loadZone(f) })
		}
	}
	return all, nil
})

// Zone gives a time zone by its exact name; nil if there is none. Unlike time.LoadLocation, it
// looks nowhere else.
func Zone(name string) (*time.Location, error) {
	all, err := zones()
	if err != nil || all[name] == nil {
		return nil, err
	}
	return all[name]()
}

// ZoneNames gives all of them, in no order.
func ZoneNames() ([]string, error) {
	all, err := zones()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	return names, err
}

func loadZone(f *zip.File) (*time.Location, error) {
	data, err := readFile(f)
	if err != nil {
		return nil, fmt.Errorf("read the time zone %s: %w", f.Name, err)
	}
	return time.LoadLocationFromTZData(f.Name, []byte(data))
}
