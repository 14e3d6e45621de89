package stack

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// createCluster keeps Debian's postgresql package from starting a server of its
// own on port 5432: only its programs are wanted.
const (
	createClusterFile = "/etc/postgresql-common/createcluster.conf"
	createCluster     = "create_main_cluster = false\n"
)

// updateLists waits for a lock that another apt-get (unattended upgrades) holds.
const updateLists = "apt-get -qq -o DPkg::Lock::Timeout=300 update"

// asRoot returns what comes before a command of apt-get that needs root.
func asRoot(ctx context.Context, command string) (sudo []string, err error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("this machine has no apt-get to run `%s` with", command)
	}
	switch {
	case os.Geteuid() == 0:
		return nil, nil
	case exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil:
		return nil, fmt.Errorf("installing needs root: run `sudo %s`", command)
	}
	return []string{"sudo", "-n"}, nil
}

// InstallPackages installs Debian packages where that needs nobody's help: as
// root or with a sudo that asks for no password. The error names the command to
// run where it does.
func InstallPackages(ctx context.Context, progress io.Writer, packages ...string) error {
	command := "apt-get install " + strings.Join(packages, " ")
	sudo, err := asRoot(ctx, command)
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "installing Debian packages: %s\n", strings.Join(packages, ", "))
	script := ""
	if slices.Contains(packages, "postgresql") {
		script = "if [ ! -e " + createClusterFile + " ]; then mkdir -p $(dirname " + createClusterFile + ") && printf '" + createCluster + "' > " + createClusterFile + "; fi; "
	}
	script += "export DEBIAN_FRONTEND=noninteractive; " + updateLists + " && apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 install " + strings.Join(packages, " ")
	argv := append(sudo, "sh", "-c", script)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	output := &tail{next: progress}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run `%s`: %w: %s", command, err, output)
	}
	return nil
}

// unpackPackage returns the folder with a Debian package's files, fetched once into the user's
// cache. Nothing is installed: no service of the package's starts.
func unpackPackage(ctx context.Context, progress io.Writer, name string) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "debian-"+name)
	if exists(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	fetched, err := os.MkdirTemp(cache, "fetching-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fetched)
	fmt.Fprintf(progress, "fetching Debian's package %s, once\n", name)
	fetch := "apt-get -qq download " + name + " && dpkg-deb -x " + name + "_*.deb files"
	script := fetch
	if sudo, err := asRoot(ctx, updateLists); err == nil { // the lists of packages may be old, or missing
		script = "{ " + fetch + "; } || { " + strings.Join(append(sudo, updateLists), " ") + " && " + fetch + "; }"
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir = fetched
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch Debian's package %s: %w: %s", name, err, output)
	}
	if err := os.Rename(filepath.Join(fetched, "files"), dir); err != nil && !exists(dir) {
		return "", fmt.Errorf("keep Debian's package %s: %w", name, err)
	}
	return dir, nil
}
