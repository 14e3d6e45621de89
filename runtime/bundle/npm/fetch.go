package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Bounds of an archive: those of the packages that are used are far below.
const (
	maxArchive  = 64 << 20
	maxUnpacked = 512 << 20
	maxFiles    = 50_000
)

// needsNpm says what only npm itself can do, or knows.
type needsNpm struct{ why string }

func (e *needsNpm) Error() string { return e.why }

// locked is a package of a lock file.
type locked struct {
	folder    string // below node_modules, with slashes
	url       string
	integrity []byte // SHA-512
}

// fetcher puts what a lock file names into node_modules as npm ci does with --ignore-scripts.
type fetcher struct {
	client *http.Client
	cache  string // "" for none
}

// fetchTimeout bounds one attempt to fetch an archive.
const fetchTimeout = 2 * time.Minute

func newFetcher() fetcher {
	f := fetcher{client: &http.Client{Timeout: fetchTimeout}}
	if dir, err := os.UserCacheDir(); err == nil {
		f.cache = filepath.Join(dir, "workflow-worker", "npm")
	}
	return f
}

// fetch fetches the packages of the lock file, checks them, and makes them the folder's
// node_modules once all are there. Nothing of them is run.
func (f fetcher) fetch(ctx context.Context, dir string, lock []byte, registry string) error {
	packages, err := readLock(lock, registry)
	if err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(dir, "node_modules.unfinished-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(unfinished) }()     // it is gone once it is node_modules
	if err := os.Chmod(unfinished, 0o755); err != nil { //nolint:gosec // as npm makes it
		return err
	}
	root, err := os.OpenRoot(unfinished)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it was only written through
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, p := range packages {
		group.Go(func() error {
			archive, err := f.archive(ctx, p)
			if err == nil {
				err = unpack(root, p.folder, archive)
			}
			if err != nil {
				return fmt.Errorf("npm package %s: %w", p.folder, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	installed := filepath.Join(dir, "node_modules")
	if err := os.RemoveAll(installed); err != nil {
		return err
	}
	return os.Rename(unfinished, installed)
}

// readLock gives the packages that a lock file names, and where they are: where it says, else where
// registries have them. A registry that is configured stands for the one that it says.
func readLock(text []byte, registry string) ([]locked, error) {
	var lock struct {
		LockfileVersion int
		Packages        map[string]struct {
			Name, Version, Resolved, Integrity string
			Link, InBundle                     bool
			OS, CPU                            []string
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, fmt.Errorf("read package-lock.json: %w", err)
	}
	if lock.LockfileVersion != 3 {
		return nil, &needsNpm{fmt.Sprintf("package-lock.json is of version %d", lock.LockfileVersion)}
	}
	var out []locked
	for key, p := range lock.Packages {
		if key == "" {
			continue // who depends on them
		}
		folder, below := strings.CutPrefix(key, "node_modules/")
		if !below || !filepath.IsLocal(folder) || path.Clean(folder) != folder {
			return nil, fmt.Errorf("package-lock.json has a package at %q", key)
		}
		if p.Link || p.InBundle || len(p.OS)+len(p.CPU) > 0 {
			return nil, &needsNpm{"package-lock.json has a package that is linked, bundled, or for some machines alone: " + folder}
		}
		name := p.Name
		if name == "" {
			nested := strings.Split(folder, "/node_modules/")
			name = nested[len(nested)-1]
		}
		integrity, err := sha512Of(p.Integrity)
		if err != nil {
			return nil, fmt.Errorf("package-lock.json: %s: %w", folder, err)
		}
		at, err := whereIs(p.Resolved, registry, name, p.Version)
		if err != nil {
			return nil, err
		}
		out = append(out, locked{folder, at, integrity})
	}
	slices.SortFunc(out, func(a, b locked) int { return strings.Compare(a.folder, b.folder) })
	return out, nil
}

func whereIs(resolved, registry, name, version string) (string, error) {
	switch {
	case registry == "" && resolved == "":
		return "", &needsNpm{"no registry is configured, and npm alone knows the usual one"}
	case registry == "":
		return resolved, nil
	case resolved == "":
		_, base, scoped := strings.Cut(name, "/")
		if !scoped {
			base = name
		}
		return strings.TrimRight(registry, "/") + "/" + name + "/-/" + base + "-" + version + ".tgz", nil
	}
	u, err := url.Parse(resolved)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", &needsNpm{"a package comes from elsewhere than a registry: " + name}
	}
	return strings.TrimRight(registry, "/") + u.EscapedPath(), nil
}

// sha512Of reads what a lock file says of an archive.
func sha512Of(integrity string) ([]byte, error) {
	for one := range strings.FieldsSeq(integrity) {
		if text, ok := strings.CutPrefix(one, "sha512-"); ok {
			sum, err := base64.StdEncoding.DecodeString(text)
			if err == nil && len(sum) == sha512.Size {
				return sum, nil
			}
		}
	}
	return nil, fmt.Errorf("it has no sha512 by which the archive could be checked, but %q", integrity)
}

// archive gives a package's archive, which is what the lock file says.
func (f fetcher) archive(ctx context.Context, p locked) ([]byte, error) {
	kept := ""
	if f.cache != "" {
		kept = filepath.Join(f.cache, hex.EncodeToString(p.integrity)+".tgz")
		if b, err := os.ReadFile(kept); err == nil && p.is(b) {
			return b, nil
		}
	}
	b, err := f.download(ctx, p.url)
	if err != nil {
		return nil, err
	}
	if !p.is(b) {
		return nil, fmt.Errorf("%s isn't what package-lock.json says: its sha512 is %x, must be %x", p.url, sha512.Sum512(b), p.integrity)
	}
	if kept != "" {
		f.keep(kept, b)
	}
	return b, nil
}

func (p locked) is(archive []byte) bool {
	sum := sha512.Sum512(archive)
	return bytes.Equal(sum[:], p.integrity)
}

// keep saves the next fetch. Whether that works doesn't matter, and what is read is checked.
func (f fetcher) keep(name string, b []byte) {
	if os.MkdirAll(f.cache, 0o755) != nil { //nolint:gosec // public archives
		return
	}
	t, err := os.CreateTemp(f.cache, "unfinished-")
	if err != nil {
		return
	}
	_, err = t.Write(b)
	if err = errors.Join(err, t.Close()); err == nil {
		err = os.Rename(t.Name(), name)
	}
	if err != nil {
		_ = os.Remove(t.Name()) // nobody misses it
	}
}

const attempts = 3

func (f fetcher) download(ctx context.Context, from string) (b []byte, err error) {
	for n := range attempts {
		if n > 0 {
			select {
			case <-time.After(time.Duration(n) * time.Second):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		var final bool
		if b, final, err = f.tryDownload(ctx, from); err == nil || final {
			break
		}
	}
	return b, err
}

// tryDownload makes one attempt; final says that another is no use.
func (f fetcher) tryDownload(ctx context.Context, from string) (b []byte, final bool, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return nil, true, err
	}
	res, err := f.client.Do(q)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = res.Body.Close() }() // it was read
	if res.StatusCode != http.StatusOK {
		return nil, res.StatusCode < http.StatusInternalServerError && res.StatusCode != http.StatusTooManyRequests, fmt.Errorf("%s answers %s", from, res.Status)
	}
	b, err = io.ReadAll(io.LimitReader(res.Body, maxArchive+1))
	if err == nil && len(b) > maxArchive {
		return nil, true, fmt.Errorf("%s has more than %d bytes", from, maxArchive)
	}
	return b, false, err
}

// unpack unpacks an archive into a folder: what is below its one folder at the top, however that is
// called. As with npm, what is neither a file nor a folder is left out.
func unpack(root *os.Root, folder string, archive []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	left := int64(maxUnpacked)
	r := tar.NewReader(z)
	for n := 0; ; n++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return fmt.Errorf("unpack: %w", err)
		}
		if n == maxFiles {
			return fmt.Errorf("unpack: there are more than %d files", maxFiles)
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
			continue
		}
		_, name, below := strings.Cut(strings.TrimPrefix(h.Name, "./"), "/")
		if !below || strings.Trim(name, "/") == "" {
			continue // the folder at the top
		}
		if !filepath.IsLocal(name) || strings.Contains(name, `\`) {
			return fmt.Errorf("unpack: the archive has a file %q", h.Name)
		}
		to := path.Join(folder, path.Clean(name))
		if h.Typeflag == tar.TypeDir {
			if err := root.MkdirAll(to, 0o755); err != nil {
				return err
			}
			continue
		}
		if left -= h.Size; left < 0 {
			return fmt.Errorf("unpack: there are more than %d bytes", int64(maxUnpacked))
		}
		if err := write(root, to, r, h); err != nil {
			return err
		}
	}
}

func write(root *os.Root, to string, r io.Reader, h *tar.Header) error {
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if h.FileInfo().Mode()&0o100 != 0 {
		mode = 0o755
	}
	out, err := root.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.CopyN(out, r, h.Size)
	return errors.Join(err, out.Close())
}
