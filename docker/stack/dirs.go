package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// tempDir is a directory that exists as long as its owner. The lock in it says
// whether the owner lives: the kernel drops a lock with the process that held it.
type tempDir struct {
	path string
	lock *os.File
}

const tempPrefix = "workflow-worker-"

// newTempDir makes a directory that the account owns and can reach, in one of the preferred
// parents if there is one, and removes those that processes which were killed left behind.
func newTempDir(kind string, account *account, preferred ...string) (*tempDir, error) {
	parent, err := tempParent(account, preferred)
	if err != nil {
		return nil, err
	}
	sweepTempDirs(parent)
	path, err := os.MkdirTemp(parent, tempPrefix+kind+"-")
	if err != nil {
		return nil, err
	}
	// Under its final name only once it is locked: a sweep would take the directory
	// for an abandoned one.
	lock, err := LockFile(filepath.Join(path, "unlocked"))
	if err == nil {
		err = os.Rename(filepath.Join(path, "unlocked"), filepath.Join(path, "lock"))
	}
	if err == nil {
		err = account.own(path)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	// PostgreSQL checks what its data directory is in by its real path.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return &tempDir{path: path, lock: lock}, nil
}

func (d *tempDir) remove() error {
	err := os.RemoveAll(d.path)
	d.lock.Close() // a second call's error says nothing new
	return err
}

// inMemory is Linux's directory in memory, where it has room for a server's data: without a disk
// that is written behind it, copying a database takes an eighth of the processor's time.
func inMemory() []string {
	const dir, room = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || int64(fs.Bavail)*int64(fs.Bsize) < room { //nolint:unconvert // other systems have other types
		return nil
	}
	return []string{dir}
}

func tempParent(account *account, preferred []string) (string, error) {
	for _, dir := range append(preferred, os.TempDir(), "/tmp", "/var/tmp") {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && account.reaches(dir) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no temporary directory that user %s can reach", account.name)
}

func sweepTempDirs(parent string) {
	dirs, _ := filepath.Glob(filepath.Join(parent, tempPrefix+"*-*"))
	for _, dir := range dirs {
		// Without its lock file a directory is being made, or is none of ours.
		lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir) // somebody else's is theirs to remove
		}
		lock.Close()
	}
}

// LockFile makes a file and holds it until it is closed or the process ends,
// however it ends. It does not wait for somebody else who holds it: that is an error.
func LockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// reachableDir returns where the data of dir really lies: dir itself, or, where
// the account cannot reach it, a directory of ours below /var/lib that dir
// becomes a symbolic link to.
func reachableDir(dir string, account *account) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		if account.reaches(filepath.Dir(real)) {
			return real, nil
		}
	} else if real, err := filepath.EvalSymlinks(filepath.Dir(dir)); err != nil {
		return "", err
	} else if account.reaches(real) && !isLink(dir) {
		return filepath.Join(real, filepath.Base(dir)), nil
	}
	target := elsewhere(dir)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	if current, err := os.Readlink(dir); err == nil && current == target {
		return target, nil
	}
	if err := os.Symlink(target, dir); err != nil {
		return "", fmt.Errorf("user %s cannot reach %s: %w", account.name, dir, err)
	}
	return target, nil
}

// elsewhere is named after the path it stands for, so that each checkout has its
// own and finds it again.
func elsewhere(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join("/var/lib/workflow-worker", filepath.Base(dir)+"-"+hex.EncodeToString(sum[:6]))
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// RemoveData removes a data directory that StartPostgres made, wherever it lies.
func RemoveData(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if target, err := os.Readlink(dir); err == nil && target == elsewhere(dir) {
		if err := errors.Join(os.RemoveAll(target), os.RemoveAll(target+".new")); err != nil {
			return err
		}
		_ = os.Remove(filepath.Dir(target)) // stays while other checkouts have theirs there
	}
	return errors.Join(os.RemoveAll(dir), os.RemoveAll(dir+".new"))
}
