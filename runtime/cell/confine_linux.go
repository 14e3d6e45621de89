package cell

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A cell is confined before it is anything: its process starts, gives up what it doesn't need, and
// starts the program once more, in place. What is given up stays so, and holds for all threads of
// what begins then: Landlock holds for one thread and those that it makes, and Go has had several by
// the time that main is called.

// The variables by which a cell's process knows what it is.
const (
	readsVariable = "WORKFLOW_WORKER_CELL_READS" // what may be read, as JSON; before it is confined
	lacksVariable = "WORKFLOW_WORKER_CELL_LACKS" // what the system lacks, as JSON; from then on
)

// self is this process's program, wherever its file is by now.
const self = "/proc/self/exe"

// confined returns in a process that is confined, and says what the system couldn't do for it.
func confined() (lacks []string, err error) {
	if told, ok := os.LookupEnv(lacksVariable); ok {
		if err := json.Unmarshal([]byte(told), &lacks); err != nil {
			return nil, fmt.Errorf("read %s: %w", lacksVariable, err)
		}
		for fd := callsFile; fd < filesEnd; fd++ {
			unix.CloseOnExec(fd)
		}
		return lacks, nil
	}
	var reads []string
	if err := json.Unmarshal([]byte(os.Getenv(readsVariable)), &reads); err != nil {
		return nil, fmt.Errorf("read %s: a cell is started by the service: %w", readsVariable, err)
	}
	runtime.LockOSThread() // which is the one that goes on
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"closing the files that it inherits", func() error {
			return unix.CloseRange(filesEnd, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
		}},
		{"being ended before its parent where memory runs out", func() error {
			const likely = "500" // of 1,000: before anything that says nothing
			return os.WriteFile("/proc/self/oom_score_adj", []byte(likely), 0)
		}},
		{"no new privileges", func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }},
		{"Landlock", func() error { return landlock(reads) }},
	} {
		if err := step.do(); err != nil {
			lacks = append(lacks, fmt.Sprintf("%s: %v", step.what, err))
		}
	}
	said, err := json.Marshal(lacks)
	if err != nil {
		return nil, err
	}
	var environment []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, readsVariable+"=") {
			environment = append(environment, v)
		}
	}
	err = unix.Exec(self, os.Args, append(environment, lacksVariable+"="+string(said)))
	return nil, fmt.Errorf("start the confined cell: %w", err)
}

const (
	landlockRead    = unix.LANDLOCK_ACCESS_FS_READ_FILE
	landlockReadDir = landlockRead | unix.LANDLOCK_ACCESS_FS_READ_DIR
	landlockRun     = landlockRead | unix.LANDLOCK_ACCESS_FS_EXECUTE
	landlockWrite   = landlockRead | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	landlockRunDir  = landlockReadDir | unix.LANDLOCK_ACCESS_FS_EXECUTE
)

// landlock leaves this thread the files that may be read, and the program; no port to listen on, no
// signal to processes that aren't its own, no abstract socket.
func landlock(reads []string) error {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return errno
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1}
	const (
		withRefer, withTruncate, withNet, withIoctl, withScopes = 2, 3, 4, 5, 6
	)
	if abi >= withRefer {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= withTruncate {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= withNet {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP
	}
	if abi >= withIoctl {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= withScopes {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return errno
	}
	rules := int(fd)
	defer func() { _ = unix.Close(rules) }() // nothing was written
	allowed := map[string]uint64{os.DevNull: landlockWrite}
	for _, p := range reads {
		allowed[p] = landlockReadDir
	}
	for p, access := range runs() {
		allowed[p] = access
	}
	for p, access := range allowed {
		if err := allow(rules, p, access); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// allow adds a rule. What isn't there needs none.
func allow(rules int, name string, access uint64) error {
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // there is nothing to read
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written
	var is unix.Stat_t
	if err := unix.Fstat(fd, &is); err != nil {
		return err
	}
	if is.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &^= unix.LANDLOCK_ACCESS_FS_READ_DIR
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// runs are the program, which is its own compiler too, and the libraries of one that was linked with
// C.
func runs() map[string]uint64 {
	out := map[string]uint64{self: landlockRun}
	f, err := elf.Open(self)
	if err != nil {
		return out
	}
	defer func() { _ = f.Close() }() // nothing was written
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			for _, dir := range []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"} {
				out[dir] = landlockRunDir
			}
		}
	}
	return out
}

// systemReads are what any program of Go's reads to look up names, trust servers and tell the time.
func systemReads() []string {
	reads := []string{
		"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols", "/etc/gai.conf", "/etc/host.conf", "/run/systemd/resolve",
		"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/pki",
		"/usr/share/zoneinfo", "/sys/kernel/mm/transparent_hugepage",
	}
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		reads = append(reads, filepath.SplitList(os.Getenv(name))...)
	}
	return reads
}

// attributes are how the process of a cell starts: it ends with its parent, whatever ends that, and
// leads a group, by which what it starts is found.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// wait waits for the process of a cell to end, and for what it had started: where this process is the
// first, as in a container, those are its own from then on, and stay in the system's table until it
// asks for them.
func wait(cmd *exec.Cmd) error {
	pid := cmd.Process.Pid
	for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		continue
	}
	_ = unix.Kill(-pid, unix.SIGKILL) // most had started nothing; nobody else has that number yet
	err := cmd.Wait()
	for {
		if _, none := unix.Wait4(-pid, nil, 0, nil); none != nil && !errors.Is(none, unix.EINTR) {
			return err
		}
	}
}

// ownProgram is the program that a cell runs: this process's, even if its file was replaced.
func ownProgram() (string, error) { return self, nil }

// confinement are the variables that tell a process what it may read.
func confinement(reads []string) ([]string, error) {
	b, err := json.Marshal(append(systemReads(), reads...))
	if err != nil {
		return nil, err
	}
	return []string{readsVariable + "=" + string(b)}, nil
}
