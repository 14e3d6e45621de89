package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// archiveOf makes an archive of entries in their order.
func archiveOf(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range entries {
		text := []byte("the text of " + h.Name)
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(text))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func integrityOf(b []byte) string {
	sum := sha512.Sum512(b)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// files are those below a folder, by name.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, p)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func lockOf(packages string) []byte {
	return fmt.Appendf(nil, `{"lockfileVersion": 3, "packages": {"": {"name": "x"}, %s}}`, packages)
}

// served is a registry that has archives at paths.
func served(t *testing.T, archives map[string][]byte) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		b, ok := archives[q.URL.Path]
		if !ok {
			http.NotFound(w, q)
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestWhatTheLockFileNamesIsFetched(t *testing.T) {
	t.Parallel()
	plain := archiveOf(t, tar.Header{Name: "package/", Typeflag: tar.TypeDir}, tar.Header{Name: "package/package.json"}, tar.Header{Name: "package/bin/run", Mode: 0o755},
		tar.Header{Name: "package/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
	scoped := archiveOf(t, tar.Header{Name: "other-name/lib/index.js"})
	url, asked := served(t, map[string][]byte{"/npm/plain/-/plain-1.0.0.tgz": plain, "/npm/@a/b/-/b-2.0.0.tgz": scoped, "/npm/elsewhere/c.tgz": plain})
	lock := lockOf(fmt.Sprintf(`
		"node_modules/plain": {"version": "1.0.0", "integrity": %q},
		"node_modules/plain/node_modules/@a/b": {"version": "2.0.0", "integrity": "sha1-AAAA %s"},
		"node_modules/alias": {"name": "@a/b", "version": "2.0.0", "integrity": %[2]q},
		"node_modules/c": {"version": "3.0.0", "resolved": "https://usual.example/elsewhere/c.tgz", "integrity": %[1]q}`, integrityOf(plain), integrityOf(scoped)))
	dir := t.TempDir()
	f := fetcher{client: http.DefaultClient, cache: t.TempDir()}
	old := filepath.Join(dir, "node_modules", "gone")
	if err := os.MkdirAll(old, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.fetch(t.Context(), dir, lock, url+"/npm/"); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"alias/lib/index.js", "c/bin/run", "c/package.json", "plain/bin/run", "plain/node_modules/@a/b/lib/index.js", "plain/package.json",
		}
		if got := files(t, filepath.Join(dir, "node_modules")); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if _, err := os.Stat(old); err == nil {
			t.Error("what was there before is there still")
		}
	}
	if n := asked.Load(); n > 4 {
		t.Errorf("the second time it fetched again: %d", n)
	}
	if left := files(t, dir); slices.ContainsFunc(left, func(n string) bool { return strings.Contains(n, "unfinished") }) {
		t.Errorf("%q", left)
	}
	if i, err := os.Stat(filepath.Join(dir, "node_modules/plain/bin/run")); err != nil || i.Mode().Perm()&0o100 == 0 {
		t.Errorf("%v, %v", i, err)
	}
}

// What isn't what the lock file says, or would leave its folder, changes nothing.
func TestWhatCanNotBeTrustedIsRefused(t *testing.T) {
	t.Parallel()
	good := archiveOf(t, tar.Header{Name: "package/index.js"})
	other := archiveOf(t, tar.Header{Name: "package/index.js"}, tar.Header{Name: "package/more.js"})
	type refused struct {
		archive []byte
		lock    string
		why     string
	}
	one := func(key, integrity string) string {
		return fmt.Sprintf(`%q: {"version": "1.0.0", "integrity": %q}`, key, integrity)
	}
	cases := map[string]refused{
		"another archive":      {other, one("node_modules/a", integrityOf(good)), "isn't what package-lock.json says"},
		"no integrity":         {good, `"node_modules/a": {"version": "1.0.0"}`, "no sha512"},
		"a weak integrity":     {good, one("node_modules/a", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="), "no sha512"},
		"half an integrity":    {good, one("node_modules/a", "sha512-AAAA"), "no sha512"},
		"a folder outside":     {good, one("node_modules/../../a", integrityOf(good)), "has a package at"},
		"another folder":       {good, one("src/a", integrityOf(good)), "has a package at"},
		"node_modules itself":  {good, one("node_modules/", integrityOf(good)), "has a package at"},
		"no archive":           {[]byte("text"), one("node_modules/a", integrityOf([]byte("text"))), "unpack"},
		"one that isn't there": {nil, one("node_modules/b", integrityOf(good)), "404"},
	}
	for name, entry := range map[string]string{"up": "package/../../../evil", "absolute": "package//etc/evil", "windows": `package/..\evil`} {
		b := archiveOf(t, tar.Header{Name: entry})
		cases["a file that leads "+name] = refused{b, one("node_modules/a", integrityOf(b)), "the archive has a file"}
	}
	for name, c := range cases {
		url, _ := served(t, map[string][]byte{"/a/-/a-1.0.0.tgz": c.archive})
		dir := t.TempDir()
		before := filepath.Join(dir, "node_modules", "a", "index.js")
		if err := errors.Join(os.MkdirAll(filepath.Dir(before), 0o755), os.WriteFile(before, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		err := fetcher{client: http.DefaultClient}.fetch(t.Context(), dir, lockOf(c.lock), url)
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
		if got := files(t, dir); !slices.Equal(got, []string{"node_modules/a/index.js"}) {
			t.Errorf("%s: left %q", name, got)
		}
	}
}

// A symbolic link in the archive is left out; what comes behind it in its name is an ordinary folder.
func TestALinkLeadsNowhere(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	b := archiveOf(t, tar.Header{Name: "package/out", Typeflag: tar.TypeSymlink, Linkname: outside}, tar.Header{Name: "package/out/evil"})
	url, _ := served(t, map[string][]byte{"/a/-/a-1.0.0.tgz": b})
	dir := t.TempDir()
	lock := lockOf(fmt.Sprintf(`"node_modules/a": {"version": "1.0.0", "integrity": %q}`, integrityOf(b)))
	if err := (fetcher{client: http.DefaultClient}).fetch(t.Context(), dir, lock, url); err != nil {
		t.Fatal(err)
	}
	if got := files(t, outside); len(got) > 0 {
		t.Errorf("%q is outside", got)
	}
}

// A cache that somebody changed is fetched anew.
func TestTheCacheIsChecked(t *testing.T) {
	t.Parallel()
	b := archiveOf(t, tar.Header{Name: "package/index.js"})
	url, asked := served(t, map[string][]byte{"/a/-/a-1.0.0.tgz": b})
	f := fetcher{client: http.DefaultClient, cache: t.TempDir()}
	lock := lockOf(fmt.Sprintf(`"node_modules/a": {"version": "1.0.0", "integrity": %q}`, integrityOf(b)))
	for range 2 {
		if err := f.fetch(t.Context(), t.TempDir(), lock, url); err != nil {
			t.Fatal(err)
		}
		for _, name := range files(t, f.cache) {
			if err := os.WriteFile(filepath.Join(f.cache, name), []byte("changed"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("fetched %d times", n)
	}
}

func TestAServerThatStumblesIsAskedAgain(t *testing.T) {
	t.Parallel()
	b := archiveOf(t, tar.Header{Name: "package/index.js"})
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			http.Error(w, "later", http.StatusBadGateway)
			return
		}
		_, _ = w.Write(b)
	}))
	defer s.Close()
	lock := lockOf(fmt.Sprintf(`"node_modules/a": {"version": "1.0.0", "integrity": %q}`, integrityOf(b)))
	if err := (fetcher{client: http.DefaultClient}).fetch(t.Context(), t.TempDir(), lock, s.URL); err != nil {
		t.Fatal(err)
	}
}

func TestTheRegistryIsNpms(t *testing.T) {
	t.Parallel()
	dir, home := t.TempDir(), t.TempDir()
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	user := filepath.Join(home, "npmrc")
	base := []string{"npm_config_userconfig=" + user, "npm_config_globalconfig=" + filepath.Join(home, "none")}
	for name, c := range map[string]struct {
		environment   []string
		own, users    string
		want, needing string
	}{
		"nothing":         {},
		"the environment": {environment: []string{"npm_config_registry=https://one.example/npm/"}, own: "registry=https://two.example", want: "https://one.example/npm/"},
		"capitals":        {environment: []string{"NPM_CONFIG_REGISTRY=https://one.example"}, want: "https://one.example"},
		"the folder":      {own: "; text\n registry = \"https://two.example\" \n", users: "registry=https://three.example", want: "https://two.example"},
		"the user":        {own: "audit=false", users: "registry=https://three.example", want: "https://three.example"},
		"a login":         {users: "registry=https://three.example\n//three.example/:_authToken=x", needing: "log in"},
		"a scope":         {own: "@a:registry=https://four.example", needing: "scope"},
		"a variable":      {own: "registry=${WHERE}", needing: "variable"},
		"no URL":          {own: "registry=three.example", needing: "plain URL"},
	} {
		write(filepath.Join(dir, ".npmrc"), c.own)
		write(user, c.users)
		got, err := registry(dir, slices.Concat(base, c.environment))
		var needs *needsNpm
		switch {
		case c.needing != "":
			if !errors.As(err, &needs) || !strings.Contains(needs.why, c.needing) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		case err != nil || got != c.want:
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestWhatTakesNpmIsLeftToIt(t *testing.T) {
	t.Parallel()
	integrity := integrityOf(nil)
	for name, packages := range map[string]string{
		"linked":             `"node_modules/a": {"link": true, "resolved": "a"}`,
		"for some machines":  fmt.Sprintf(`"node_modules/a": {"version": "1.0.0", "os": ["linux"], "integrity": %q}`, integrity),
		"of no registry":     fmt.Sprintf(`"node_modules/a": {"version": "1.0.0", "resolved": "git+ssh://git@host.example/a.git#1", "integrity": %q}`, integrity),
		"bundled by another": fmt.Sprintf(`"node_modules/a": {"version": "1.0.0", "inBundle": true, "integrity": %q}`, integrity),
	} {
		_, err := readLock(lockOf(packages), "https://one.example")
		if needs := new(needsNpm); !errors.As(err, &needs) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readLock([]byte(`{"lockfileVersion": 2}`), ""); !errors.As(err, new(*needsNpm)) {
		t.Error(err)
	}
}

// The lock files of what is embedded can be checked, every one of their packages.
func TestOurLockFilesCanBeFetched(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"..", "../../language/intl/cldr"} {
		lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
		if err != nil {
			t.Fatal(err)
		}
		packages, err := readLock(lock, "https://one.example")
		if err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		urls := map[string]bool{}
		for _, p := range packages {
			urls[p.url] = true
		}
		if len(packages) < 5 || len(urls) < 5 {
			t.Errorf("%s: %v", dir, packages)
		}
	}
}
